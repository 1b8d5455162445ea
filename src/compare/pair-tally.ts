import type { Comparison } from '../core/comparison.ts';
import type { Evidence, UnitBits } from '../core/evidence.ts';
import type { UnitRule } from '../core/unit.ts';
import { DifferenceTally } from './difference-tally.ts';
import type { LateValue } from './late-tally.ts';
import { type PairedFailure, PairedFailureTally } from './paired-failure-tally.ts';
import { OWN_UNIT, Units } from './units.ts';

type PairDifferences = Pick<Evidence, 'disagreement' | 'excessDisagreement' | 'pairedFailures'>;
type PairEvidence = PairDifferences & { readonly pairUnits: UnitBits };

/** What one pair says; a score is missing where a side failed, and an excess where there was no twin too. */
type PairValue = {
  readonly failed: PairedFailure;
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
  readonly #onLate: PairTallyOptions['onLate'];

  constructor(
    { salt, unit, onLate }: PairTallyOptions,
    from: PairDifferences & Pick<Evidence, 'pairUnits'>,
  ) {
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
  add({ score, noise, unit, drawnMs, ...of }: Comparison, late?: LateValue): void {
    const failed = {
      candidate: of.candidateFailed || of.candidateFault !== undefined,
      reference: of.stableFailed || of.stableFault !== undefined,
    };
    const value = {
      failed,
      score: score === undefined ? undefined : checked(score),
      excess: score === undefined || noise === undefined ? undefined : checked(score - noise),
      late,
    };
    this.#units.add({ key: unit ?? OWN_UNIT, place: '', beganMs: drawnMs ?? 0, value });
  }

  snapshot(): PairEvidence {
    return {
      disagreement: this.#disagreement.snapshot(),
      excessDisagreement: this.#excess.snapshot(),
      pairedFailures: this.#failures.snapshot(),
      pairUnits: this.#units.snapshot(),
    };
  }

  #count(values: readonly PairValue[]): void {
    this.#failures.add(values.map(({ failed }) => failed));
    addMean(
      this.#disagreement,
      values.map(({ score }) => score),
    );
    addMean(
      this.#excess,
      values.map(({ excess }) => excess),
    );
    this.#onLate(values.flatMap(({ late }) => late ?? []));
  }
}

/** Before it can hide in a mean. Throws a RangeError for a value outside [-1, 1] or NaN. */
function checked(value: number): number {
  if (value >= -1 && value <= 1) return value;
  throw new RangeError(`difference: expected a number in [-1, 1], found ${value}`);
}

function addMean(tally: DifferenceTally, values: readonly (number | undefined)[]): void {
  const known = values.filter((value) => value !== undefined);
  if (known.length > 0) tally.add(known.reduce((sum, value) => sum + value, 0) / known.length);
}
