import type { MirrorCounts } from '../core/evidence.ts';
import type { MirrorEvent } from '../core/messages.ts';
import { increment, sortedRecord } from './difference-tally.ts';

/** The mirror's accounts. Eligible is the sum of all others by construction. */
export class MirrorTally {
  readonly #kinds: Record<'notSampled' | 'timedOut' | 'failed' | 'compared', number>;
  readonly #dropped: Map<string, number>;
  readonly #byLoad = new Map<string, { sampled: number; compared: number }>();
  #eligible: number;

  constructor(from: MirrorCounts) {
    const { eligible, notSampled, timedOut, failed, compared } = from;
    this.#eligible = eligible;
    this.#kinds = { notSampled, timedOut, failed, compared };
    this.#dropped = new Map(Object.entries(from.dropped));
    for (const [load, counts] of Object.entries(from.byLoad)) this.#byLoad.set(load, { ...counts });
  }

  add(event: MirrorEvent): void {
    this.#eligible += 1;
    if (event.kind === 'dropped') increment(this.#dropped, event.reason);
    else this.#kinds[event.kind] += 1;
    if (event.kind === 'notSampled') return;
    const bucket = loadBucket(event.load);
    const atLoad = this.#byLoad.get(bucket) ?? { sampled: 0, compared: 0 };
    atLoad.sampled += 1;
    if (event.kind === 'compared') atLoad.compared += 1;
    this.#byLoad.set(bucket, atLoad);
  }

  snapshot(): MirrorCounts {
    const { notSampled, compared, timedOut, failed } = this.#kinds;
    return {
      eligible: this.#eligible,
      notSampled,
      compared,
      dropped: sortedRecord(this.#dropped),
      timedOut,
      failed,
      byLoad: sortedRecord([...this.#byLoad].map(([load, counts]) => [load, { ...counts }])),
    };
  }
}

/** `0`, `1`, `2`, `4`, `8`, ...: the highest power of two that is not above the load. */
export function loadBucket(inFlight: number): string {
  return inFlight < 1 ? '0' : String(2 ** Math.floor(Math.log2(inFlight)));
}
