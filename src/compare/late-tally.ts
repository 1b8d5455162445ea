import type { Lateness } from '../core/comparison.ts';
import { NO_DIFFERENCES, type PairedTimeouts } from '../core/evidence.ts';
import type { Lapse } from '../core/messages.ts';
import { DifferenceTally } from './difference-tally.ts';

/**
 * How often a run of the shadow host takes too long, candidate minus twin. One value per run: requests of one run share its time.
 * A machine that stalls hits either arm alike, so only a run beside a twin's says whose it was.
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

  /** True if it counted: the first pair of its run. */
  add({ candidate, twin, shadowRun }: Lateness): boolean {
    if (shadowRun !== undefined && shadowRun === this.#lastRun) return false;
    this.#lastRun = shadowRun;
    if (twin === undefined) this.#addUnknown(candidate);
    else this.#addKnown(Number(candidate) - Number(twin));
    return true;
  }

  /** A time-out that came to no pair. */
  addLapse({ by }: Lapse): void {
    if (by === 'unknown') this.#addUnknown(true);
    else this.#addKnown(by === 'candidate' ? 1 : -1);
  }

  snapshot(): PairedTimeouts {
    return { all: this.#all.snapshot(), twinned: this.#twinned.snapshot() };
  }

  #addKnown(difference: number): void {
    this.#all.add(difference);
    this.#twinned.add(difference);
  }

  #addUnknown(isLate: boolean): void {
    this.#all.addBetween(0, isLate ? 1 : 0);
  }
}
