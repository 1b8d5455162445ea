import { type Clock, SteadyClock } from '../core/clock.ts';
import type { ServeErrorCode } from '../core/errors.ts';
import type { Evidence, SlowCounts } from '../core/evidence.ts';
import type { LiveObservation } from '../core/messages.ts';
import { BlockTally } from './block-tally.ts';
import { SlowThreshold } from './slow-threshold.ts';

export type SlowTallyOptions = {
  /** Slow is what takes longer than this quantile of the reference's past. */
  readonly slowQuantile: number;
  readonly blockMs: number;
  readonly clock: Clock;
};

type SlowEvidence = Pick<Evidence, 'slowBlocks' | 'bySlice'>;

/**
 * How many requests of each arm were slow, by the block of time in which they began. Observations come in the order of assignment
 * (see `trials/live-order.ts`), so a block has ended, even with requests in flight, as soon as one of a later block comes.
 *
 * - Only requests at equal shares count: load slows an arm down, regardless of its version.
 * - A failure counts under `errors` alone, with two exceptions: a time-out, and a request that had already taken longer than the
 *   threshold when its caller hung up. Callers hang up on the slow arm.
 * - The threshold is known from the first request where the shadow step has seen enough of stable's.
 * - After a restart the past of the threshold starts empty, and nothing counts until it is known again. A block that the restart
 *   cut goes on.
 */
export class SlowTally {
  readonly #threshold: SlowThreshold;
  readonly #blocks: BlockTally<SlowCounts>;
  readonly #slices: Map<string, SlowCounts>;
  /** A wall clock that is set ahead and back again would hold all counts in one block until it has caught up. */
  readonly #clock: SteadyClock;

  constructor({ slowQuantile, blockMs, clock }: SlowTallyOptions, from: SlowEvidence) {
    this.#threshold = new SlowThreshold(slowQuantile);
    this.#blocks = new BlockTally(blockMs, from.slowBlocks ?? {});
    this.#slices = new Map(
      Object.entries(from.bySlice ?? {}).map(([key, { slow }]) => [key, slow]),
    );
    this.#clock = new SteadyClock(clock);
    this.#clock.notBefore(this.#blocks.resumesAt(this.#clock.wallMs()));
  }

  /** `slices`: that the request is in, as `sliceKey` writes them. */
  add(
    { side, startedMs, endedMs, failure, exposure }: LiveObservation,
    slices: readonly string[] = [],
  ): void {
    const totalMs = endedMs - startedMs;
    const thresholdMs = this.#threshold.thresholdMs;
    const isSlow = thresholdMs !== undefined && totalMs > thresholdMs;
    const isEven = exposure.candidateBp === exposure.referenceBp;
    if (thresholdMs !== undefined && isEven && counts(failure, isSlow)) {
      const slow = Number(isSlow);
      const counted: SlowCounts = side === 'candidate' ? [1, slow, 0, 0] : [0, 0, 1, slow];
      this.#blocks.add(this.#wallMs(startedMs), counted);
      for (const slice of slices)
        this.#slices.set(slice, addSlow(this.#slices.get(slice), counted));
    }
    // Last, so that no request is compared with a threshold that it has moved itself.
    if (side === 'reference' && failure === undefined) this.#threshold.add(totalMs);
  }

  /** Of a request that stable answered before the first live one that counts. */
  learn(totalMs: number): void {
    this.#threshold.learn(totalMs);
  }

  snapshot(): Pick<SlowEvidence, 'slowBlocks'> {
    return { slowBlocks: this.#blocks.snapshot() };
  }

  /** By slice, of those that had a request which counts. */
  slices(): ReadonlyMap<string, SlowCounts> {
    return this.#slices;
  }

  #wallMs(monotonicMs: number): number {
    return this.#clock.wallMs() - (this.#clock.monotonicMs() - monotonicMs);
  }
}

/** The counts of both. */
export function addSlow([a, b, c, d]: SlowCounts = NO_SLOW, more: SlowCounts): SlowCounts {
  return [a + more[0], b + more[1], c + more[2], d + more[3]];
}

const NO_SLOW: SlowCounts = [0, 0, 0, 0];

function counts(failure: ServeErrorCode | undefined, isSlow: boolean): boolean {
  if (failure === undefined || failure === 'deadline_exceeded') return true;
  return failure === 'cancelled' && isSlow;
}
