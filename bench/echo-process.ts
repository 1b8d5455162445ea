import type { EchoNews, EchoOrder } from './echo-message.ts';
import { Forked } from './forked.ts';

/** The echo server in a process of its own. */
export class EchoProcess {
  readonly #forked: Forked<EchoOrder, EchoNews>;
  readonly port: number;

  private constructor(forked: Forked<EchoOrder, EchoNews>, port: number) {
    this.#forked = forked;
    this.port = port;
  }

  static async start(): Promise<EchoProcess> {
    const script = new URL('./echo-server.js', import.meta.url);
    const forked = new Forked<EchoOrder, EchoNews>(script, 'the echo server');
    const news = await forked.next();
    if (news.kind !== 'listening') throw new Error(`the echo server: unexpected ${news.kind}`);
    return new EchoProcess(forked, news.port);
  }

  /** Opens a model in a worker thread next to the route. */
  async open(file: string): Promise<void> {
    await this.#forked.ask({ kind: 'open', file });
  }

  /** Runs the model, one run after another, for so long. Returns runs per second. */
  async run(durationMs: number): Promise<number> {
    const news = await this.#forked.ask({ kind: 'run', durationMs });
    if (news.kind !== 'ran') throw new Error(`the echo server: unexpected ${news.kind}`);
    return news.runsPerSecond;
  }

  close(): void {
    this.#forked.close();
  }
}
