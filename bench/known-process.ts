import { QUIET_HEAP } from '../src/load/engine/alarm.ts';
import type { LatencySummary } from '../src/load/nouns/load-report.ts';
import { Forked } from './forked.ts';

/** The share of each period, at its end, in which the server gives no answer. */
export const STALL_SHARE = 0.1;

/** Both are answered with what was held until then. */
export type KnownOrder = { readonly kind: 'forget' | 'report' };

export type KnownNews =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'held'; readonly held: LatencySummary };

/** The server of known latency in a process of its own. */
export class KnownProcess {
  readonly #forked: Forked<KnownOrder, KnownNews>;
  readonly port: number;

  private constructor(forked: Forked<KnownOrder, KnownNews>, port: number) {
    this.#forked = forked;
    this.port = port;
  }

  static async start(holdMs: number, periodMs: number): Promise<KnownProcess> {
    const script = new URL('./known-server.js', import.meta.url);
    const forked = new Forked<KnownOrder, KnownNews>(script, 'the server of known latency', {
      args: [String(holdMs), String(periodMs)],
      engine: QUIET_HEAP,
    });
    const news = await forked.next();
    if (news.kind !== 'listening') throw new Error(`expected a port, found ${news.kind}`);
    return new KnownProcess(forked, news.port);
  }

  /** How long it held the answers that it gave since it was last asked to forget. */
  async held(order: KnownOrder['kind'] = 'report'): Promise<LatencySummary> {
    const news = await this.#forked.ask({ kind: order });
    if (news.kind !== 'held') throw new Error(`expected what was held, found ${news.kind}`);
    return news.held;
  }

  close(): void {
    this.#forked.close();
  }
}
