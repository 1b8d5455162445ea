import type { PairedFelt, SliceEvidence } from '../core/evidence.ts';
import { DifferenceTally } from './difference-tally.ts';
import { type PairedFailure, PairedFailureTally } from './paired-failure-tally.ts';

/** What one pair says; a score is missing where a side failed, and an excess where there was no twin too. */
export type PairSaid = {
  readonly failed: PairedFailure;
  readonly isCovered: boolean;
  readonly score: number | undefined;
  readonly excess: number | undefined;
};

type PairCounts = Pick<
  SliceEvidence,
  'disagreement' | 'excessDisagreement' | 'pairedFailures' | 'pairedFelt'
>;

/** Mirrored pairs of all requests, or of one slice: one value a unit, the mean of its pairs. */
export class PairFold {
  readonly #disagreement: DifferenceTally;
  readonly #excess: DifferenceTally;
  readonly #failures: PairedFailureTally;
  readonly #felt: { -readonly [Count in keyof PairedFelt]: number };

  constructor(
    from: {
      readonly [Part in keyof PairCounts]: PairCounts[Part] | undefined;
    },
  ) {
    this.#felt = { ...(from.pairedFelt ?? { pairs: 0, candidate: 0, reference: 0 }) };
    this.#disagreement = new DifferenceTally(from.disagreement ?? NONE);
    this.#excess = new DifferenceTally(from.excessDisagreement ?? NONE);
    this.#failures = new PairedFailureTally(from.pairedFailures);
  }

  /** The pairs of one unit. */
  add(values: readonly PairSaid[]): void {
    this.#failures.add(values.flatMap(({ isCovered, failed }) => (isCovered ? [] : failed)));
    addMean(this.#disagreement, values, 'score');
    addMean(this.#excess, values, 'excess');
  }

  feel({ candidate, reference }: PairedFailure): void {
    this.#felt.pairs += 1;
    this.#felt.candidate += Number(candidate);
    this.#felt.reference += Number(reference);
  }

  snapshot(): PairCounts {
    return {
      disagreement: this.#disagreement.snapshot(),
      excessDisagreement: this.#excess.snapshot(),
      pairedFailures: this.#failures.snapshot(),
      pairedFelt: { ...this.#felt },
    };
  }
}

const NONE = { down: {}, up: {} };

function addMean(
  tally: DifferenceTally,
  values: readonly PairSaid[],
  what: 'score' | 'excess',
): void {
  let [sum, known] = [0, 0];
  for (const { [what]: value } of values) {
    if (value === undefined) continue;
    sum += value;
    known += 1;
  }
  if (known > 0) tally.add(sum / known);
}
