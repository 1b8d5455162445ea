import { Forked } from './forked.ts';
import type { GapsNews, GapsOrder, LoopGaps } from './loop-gaps.ts';

/** A server in a process of its own that watches its event loop. */
export class WatchedProcess {
  readonly #forked: Forked<GapsOrder, GapsNews>;
  readonly port: number;

  private constructor(forked: Forked<GapsOrder, GapsNews>, port: number) {
    this.#forked = forked;
    this.port = port;
  }

  static startJsonServer(): Promise<WatchedProcess> {
    const script = new URL('./json-server.js', import.meta.url);
    return WatchedProcess.#start(new Forked(script, 'the JSON server'));
  }

  static startGateway(configFile: string): Promise<WatchedProcess> {
    const script = new URL('./watched-gateway.js', import.meta.url);
    return WatchedProcess.#start(new Forked(script, 'the gateway', { args: [configFile] }));
  }

  static async #start(forked: Forked<GapsOrder, GapsNews>): Promise<WatchedProcess> {
    const news = await forked.next();
    if (news.kind !== 'listening') throw new Error(`expected a port, found ${news.kind}`);
    return new WatchedProcess(forked, news.port);
  }

  /** Does the work and says how long the loop stayed away meanwhile. */
  async gapsDuring(work: () => Promise<unknown>): Promise<LoopGaps> {
    await this.#forked.ask({ kind: 'watch' });
    await work();
    const news = await this.#forked.ask({ kind: 'report' });
    if (news.kind !== 'gaps') throw new Error(`expected gaps, found ${news.kind}`);
    return news.gaps;
  }

  close(): void {
    this.#forked.close();
  }
}
