import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A script of the bench in a process of its own, which answers each order with one piece of news. */
export class Forked<Order extends object, News> {
  readonly #child: ChildProcess;
  readonly #name: string;

  /** `name` is for messages; `engine` are flags of Node's. */
  constructor(
    script: URL,
    name: string,
    {
      args = [],
      engine = [],
    }: { readonly args?: readonly string[]; readonly engine?: readonly string[] } = {},
  ) {
    this.#child = fork(script, args, {
      stdio: 'inherit',
      execArgv: [...process.execArgv, ...engine],
    });
    this.#name = name;
  }

  /** Sends an order and waits for the news of it. */
  ask(order: Order): Promise<News> {
    this.#child.send(order);
    return this.next();
  }

  /** Rejects where the process ends instead. */
  async next(): Promise<News> {
    const over = new AbortController();
    const { signal } = over;
    const ended = once(this.#child, 'exit', { signal }).then(([code]): never => {
      throw new Error(`${this.#name} ended with ${code}`);
    });
    const news = once(this.#child, 'message', { signal }).then(([message]) => message as News);
    try {
      return await Promise.race([news, ended]);
    } finally {
      ended.catch(() => undefined);
      news.catch(() => undefined);
      over.abort();
    }
  }

  /** Lets go of the process, which ends by itself. */
  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
