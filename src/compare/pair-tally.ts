import type { Comparison } from '../core/comparison.ts';
import type { Evidence, PairedFelt, UnitBits } from '../core/evidence.ts';
import type { UnitRule } from '../core/unit.ts';
import { DifferenceTally } from './difference-tally.ts';
import type { LateValue } from './late-tally.ts';
import { PairCover } from './pair-cover.ts';
import { type PairedFailure, PairedFailureTally } from './paired-failure-tally.ts';
import { UnitWeights } from './unit-weights.ts';
import { OWN_UNIT, Units } from './units.ts';

type PairDifferences = Pick<Evidence, 'disagreement' | 'excessDisagreement' | 'pairedFailures'>;
type PairEvidence = PairDifferences & {
  readonly pairedFelt: PairedFelt;
  readonly pairUnits: UnitBits;
};

/** What one pair says; a score is missing where a side failed, and an excess where there was no twin too. */
type PairValue = {
  readonly failed: PairedFailure;
  readonly isCovered: boolean;
  readonly score: number | undefined;
  readonly excess: number | undefined;
  readonly late: LateValue | undefined;
};

export type PairTallyOptions = {
  readonly salt: string;
  readonly unit: UnitRule;
  /** Takes what the pairs of one unit say of their runs. */
  readonly onLate: (values: readonly LateValue[]) => void;
};

/** How the answers of mirrored pairs differ, and which side failed: the means of each unit's first pairs, one value a unit. */
export class PairTally {
  readonly #units: Units<PairValue>;
  readonly #disagreement: DifferenceTally;
  readonly #excess: DifferenceTally;
  readonly #failures: PairedFailureTally;
  readonly #felt: { -readonly [Count in keyof PairedFelt]: number };
  readonly #cover = new PairCover();
  readonly #weights: UnitWeights;
  readonly #onLate: PairTallyOptions['onLate'];

  constructor(
    { salt, unit, onLate }: PairTallyOptions,
    from: PairDifferences & Pick<Evidence, 'pairUnits' | 'pairedFelt'>,
  ) {
    this.#weights = new UnitWeights(unit);
    this.#felt = { ...(from.pairedFelt ?? { pairs: 0, candidate: 0, reference: 0 }) };
    this.#onLate = onLate;
    this.#disagreement = new DifferenceTally(from.disagreement);
    this.#excess = new DifferenceTally(from.excessDisagreement);
    this.#failures = new PairedFailureTally(from.pairedFailures);
    this.#units = new Units(
      // A pair is there once the candidate has answered too, which takes it the longer the slower it is.
      { salt, rule: unit, lateMs: unit.windowMs, count: (values) => this.#count(values) },
      from.pairUnits ?? {},
    );
  }

  /** `late`: what it says of its run, unless another pair of that run has said it. */
  add(comparison: Comparison, late?: LateValue): void {
    const { score, noise, unit = OWN_UNIT, drawnMs = 0 } = comparison;
    const isCovered = this.#cover.covers(comparison);
    const failed = {
      candidate: comparison.candidateFailed || comparison.candidateFault !== undefined,
      reference: comparison.stableFailed || comparison.stableFault !== undefined,
    };
    const value = {
      failed,
      isCovered,
      score: score === undefined ? undefined : checked(score),
      excess: score === undefined || noise === undefined ? undefined : checked(score - noise),
      late,
    };
    const isPart = this.#units.add({ key: unit, place: '', beganMs: drawnMs, value });
    const { sticky } = unit;
    if (sticky === undefined ? isPart : this.#weights.admit(sticky, drawnMs)) this.#feel(failed);
    if (isPart && !isCovered && (failed.candidate || failed.reference)) {
      this.#cover.begin(comparison, failed);
    }
  }

  snapshot(): PairEvidence {
    return {
      disagreement: this.#disagreement.snapshot(),
      excessDisagreement: this.#excess.snapshot(),
      pairedFailures: this.#failures.snapshot(),
      pairedFelt: { ...this.#felt },
      pairUnits: this.#units.snapshot(),
    };
  }

  #feel({ candidate, reference }: PairedFailure): void {
    this.#felt.pairs += 1;
    this.#felt.candidate += Number(candidate);
    this.#felt.reference += Number(reference);
  }

  #count(values: readonly PairValue[]): void {
    const failed: PairedFailure[] = [];
    const late: LateValue[] = [];
    for (const value of values) {
      if (!value.isCovered) failed.push(value.failed);
      if (value.late !== undefined) late.push(value.late);
    }
    this.#failures.add(failed);
    addMean(this.#disagreement, values, 'score');
    addMean(this.#excess, values, 'excess');
    this.#onLate(late);
  }
}

/** Before it can hide in a mean. Throws a RangeError for a value outside [-1, 1] or NaN. */
function checked(value: number): number {
  if (value >= -1 && value <= 1) return value;
  throw new RangeError(`difference: expected a number in [-1, 1], found ${value}`);
}

function addMean(
  tally: DifferenceTally,
  values: readonly PairValue[],
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
