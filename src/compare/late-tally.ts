import type { Lateness } from '../core/comparison.ts';
import { NO_DIFFERENCES, type PairedTimeouts } from '../core/evidence.ts';
import type { Lapse } from '../core/messages.ts';
import { DifferenceTally } from './difference-tally.ts';

/** What one run says: candidate minus twin, or between which two values that lies where there was no twin. */
export type LateValue = {
  readonly lower: number;
  readonly upper: number;
  readonly isTwinned: boolean;
};

/**
 * How often a run of the shadow host takes too long, candidate minus twin. One value per run, since requests of one run share its
 * time, and the mean of those per unit. A machine that stalls hits either arm alike, so only a run beside a twin's says whose it was.
 */
export class LateTally {
  readonly #all: DifferenceTally;
  readonly #twinned: DifferenceTally;
  /** The shadow host runs one batch at a time, so the pairs of one run come one after another. */
  #lastRun: number | undefined;

  constructor(from: PairedTimeouts | undefined) {
    this.#all = new DifferenceTally(from?.all ?? NO_DIFFERENCES);
    this.#twinned = new DifferenceTally(from?.twinned ?? NO_DIFFERENCES);
  }

  /** What a pair says of its run; undefined: an earlier pair of that run has said it. */
  valueOf({ candidate, twin, shadowRun }: Lateness): LateValue | undefined {
    if (shadowRun !== undefined && shadowRun === this.#lastRun) return undefined;
    this.#lastRun = shadowRun;
    if (twin === undefined) return { lower: 0, upper: Number(candidate), isTwinned: false };
    const difference = Number(candidate) - Number(twin);
    return { lower: difference, upper: difference, isTwinned: true };
  }

  /** The values of one unit. */
  add(values: readonly LateValue[]): void {
    if (values.length === 0) return;
    const mean = (of: readonly number[]): number =>
      of.reduce((sum, each) => sum + each, 0) / of.length;
    this.#all.addBetween(
      mean(values.map(({ lower }) => lower)),
      mean(values.map(({ upper }) => upper)),
    );
    const known = values.filter(({ isTwinned }) => isTwinned).map(({ lower }) => lower);
    if (known.length > 0) this.#twinned.add(mean(known));
  }

  /** A time-out that came to no pair. */
  addLapse({ by }: Lapse): void {
    const difference = by === 'candidate' ? 1 : -1;
    if (by === 'unknown') this.add([{ lower: 0, upper: 1, isTwinned: false }]);
    else this.add([{ lower: difference, upper: difference, isTwinned: true }]);
  }

  snapshot(): PairedTimeouts {
    return { all: this.#all.snapshot(), twinned: this.#twinned.snapshot() };
  }
}
