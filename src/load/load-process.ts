import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Load, LoadReport } from './run-load.ts';

/** A load that can be sent to another process: the requests are sent in turn, over and over. */
export type LoadOrder = Omit<Load, 'next' | 'onAnswer' | 'signal'> & {
  readonly requestsBase64: readonly string[];
  readonly seed: number;
};

/** What the generator's process answers to an order. */
export type LoadNews =
  | { readonly kind: 'report'; readonly report: LoadReport }
  | { readonly kind: 'failed'; readonly message: string };

/** A generator in a process of its own. One load at a time. */
export class LoadProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(new URL('./main.js', import.meta.url), { stdio: 'inherit' });
  }

  /** Runs one load. Rejects with the generator's own words if it could not. */
  async run(order: LoadOrder): Promise<LoadReport> {
    const over = new AbortController();
    const { signal } = over;
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error('the load generator ended before its load did');
    });
    const message = once(this.#child, 'message', { signal }) as Promise<[LoadNews]>;
    this.#child.send(order);
    const [news] = await Promise.race([message, ended]).finally(() => {
      // Whichever of the two has not come is not waited for any more.
      for (const one of [message, ended]) one.catch(() => undefined);
      over.abort();
    });
    if (news.kind === 'failed') throw new Error(`the load generator failed: ${news.message}`);
    return news.report;
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
