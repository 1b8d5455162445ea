import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { EchoNews, EchoOrder } from './echo-message.ts';

/** The echo server in a process of its own. */
export class EchoProcess {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<EchoProcess> {
    const child = fork(new URL('./echo-server.js', import.meta.url), { stdio: 'inherit' });
    const news = await nextNews(child);
    if (news.kind !== 'listening') throw new Error(`the echo server: unexpected ${news.kind}`);
    return new EchoProcess(child, news.port);
  }

  /** Opens a model in a worker thread beside the route. */
  async open(file: string): Promise<void> {
    await this.#ask({ kind: 'open', file });
  }

  /** Runs the model, one run after another, for so long. Returns runs per second. */
  async run(durationMs: number): Promise<number> {
    const news = await this.#ask({ kind: 'run', durationMs });
    if (news.kind !== 'ran') throw new Error(`the echo server: unexpected ${news.kind}`);
    return news.runsPerSecond;
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #ask(order: EchoOrder): Promise<EchoNews> {
    this.#child.send(order);
    return nextNews(this.#child);
  }
}

async function nextNews(child: ChildProcess): Promise<EchoNews> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(child, 'exit', { signal }).then(([code]): never => {
    throw new Error(`the echo server ended with ${code}`);
  });
  const news = once(child, 'message', { signal }).then(([message]) => message as EchoNews);
  try {
    return await Promise.race([news, ended]);
  } finally {
    ended.catch(() => undefined);
    news.catch(() => undefined);
    over.abort();
  }
}
