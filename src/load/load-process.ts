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
    this.#child.send(order);
    const [news] = (await once(this.#child, 'message')) as [LoadNews];
    if (news.kind === 'failed') throw new Error(`the load generator failed: ${news.message}`);
    return news.report;
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
