import type { Lateness } from '../core/comparison.ts';
import type { PairedTimeouts } from '../core/evidence.ts';
import type { Lapse } from '../core/messages.ts';
import { PairedFailureTally } from './paired-failure-tally.ts';
import { RecentRuns } from './recent-runs.ts';

/** What one run says: which version took too long. `twin`: undefined where it did not run. */
export type LateValue = Pick<Lateness, 'candidate' | 'twin'>;

/**
 * How often a run of the shadow host takes too long, of the candidate and of the twin. One value per run, since requests of one run
 * share its time, by unit. A machine that stalls hits either version alike, so only a run beside a twin's says whose it was.
 */
export class LateTally {
  readonly #all: PairedFailureTally;
  readonly #twinned: PairedFailureTally;
  readonly #runs = new RecentRuns();

  constructor(from: PairedTimeouts | undefined) {
    this.#all = new PairedFailureTally(from?.all);
    this.#twinned = new PairedFailureTally(from?.twinned);
  }

  /** What a pair says of its run; undefined: an earlier pair of that run has said it. */
  valueOf({ candidate, twin, shadowRun }: Lateness): LateValue | undefined {
    if (this.#runs.has(shadowRun)) return undefined;
    this.#runs.add(shadowRun);
    return { candidate, twin };
  }

  /** The values of one unit. */
  add(values: readonly LateValue[]): void {
    const runs = values.map(({ candidate, twin = false }) => ({ candidate, reference: twin }));
    this.#all.add(runs);
    this.#twinned.add(runs.filter((_, at) => values[at]?.twin !== undefined));
  }

  /** A time-out that came to no pair. */
  addLapse({ by }: Lapse): void {
    const twin = by === 'unknown' ? undefined : by === 'twin';
    this.add([{ candidate: by !== 'twin', twin }]);
  }

  snapshot(): PairedTimeouts {
    return { all: this.#all.snapshot(), twinned: this.#twinned.snapshot() };
  }
}
