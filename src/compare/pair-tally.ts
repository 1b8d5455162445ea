import type { Comparison } from '../core/comparison.ts';
import type { Evidence, PairedFelt, UnitBits } from '../core/evidence.ts';
import type { UnitRule } from '../core/unit.ts';
import type { LateValue } from './late-tally.ts';
import { PairCover } from './pair-cover.ts';
import { PairFold, type PairSaid } from './pair-fold.ts';
import { eachSlice, foldOf } from './slice-match.ts';
import { UnitWeights } from './unit-weights.ts';
import { OWN_UNIT, Units } from './units.ts';

type PairDifferences = Pick<Evidence, 'disagreement' | 'excessDisagreement' | 'pairedFailures'>;
type PairEvidence = PairDifferences & {
  readonly pairedFelt: PairedFelt;
  readonly pairUnits: UnitBits;
};

type PairValue = PairSaid & {
  readonly late: LateValue | undefined;
  readonly slices: readonly string[];
};

export type PairTallyOptions = {
  readonly salt: string;
  readonly unit: UnitRule;
  /** Takes what the pairs of one unit say of their runs. */
  readonly onLate: (values: readonly LateValue[]) => void;
};

/** What a pair is offered with. */
export type PairOf = {
  /** What it says of its run, unless another pair of that run has said it. */
  readonly late?: LateValue | undefined;
  /** That its request is in, as `sliceKey` writes them; absent: in none. */
  readonly slices?: readonly string[];
};

/** How the answers of mirrored pairs differ, and which side failed: the means of each unit's first pairs, one value a unit. */
export class PairTally {
  readonly #units: Units<PairValue>;
  readonly #all: PairFold;
  readonly #slices: Map<string, PairFold>;
  readonly #cover = new PairCover();
  readonly #weights: UnitWeights;
  readonly #onLate: PairTallyOptions['onLate'];

  constructor(
    { salt, unit, onLate }: PairTallyOptions,
    from: PairDifferences & Pick<Evidence, 'pairUnits' | 'pairedFelt' | 'bySlice'>,
  ) {
    this.#weights = new UnitWeights(unit);
    this.#onLate = onLate;
    this.#all = new PairFold({
      disagreement: from.disagreement,
      excessDisagreement: from.excessDisagreement,
      pairedFailures: from.pairedFailures,
      pairedFelt: from.pairedFelt,
    });
    this.#slices = new Map(
      Object.entries(from.bySlice ?? {}).map(([key, counts]) => [key, new PairFold(counts)]),
    );
    this.#units = new Units(
      // A pair is there once the candidate has answered too, which takes it the longer the slower it is.
      { salt, rule: unit, lateMs: unit.windowMs, count: (values) => this.#count(values) },
      from.pairUnits ?? {},
    );
  }

  add(comparison: Comparison, { late, slices = [] }: PairOf = {}): void {
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
      slices,
    };
    const isPart = this.#units.add({ key: unit, place: '', beganMs: drawnMs, value });
    const { sticky } = unit;
    if (sticky === undefined ? isPart : this.#weights.admit(sticky, drawnMs)) {
      this.#all.feel(failed);
      for (const slice of slices) this.#foldOf(slice).feel(failed);
    }
    if (isPart && !isCovered && (failed.candidate || failed.reference)) {
      this.#cover.begin(comparison, failed);
    }
  }

  snapshot(): PairEvidence {
    const { pairedFelt, ...counts } = this.#all.snapshot();
    return { ...counts, pairedFelt, pairUnits: this.#units.snapshot() };
  }

  /** By slice, of those that had a pair. */
  slices(): ReadonlyMap<string, ReturnType<PairFold['snapshot']>> {
    return new Map([...this.#slices].map(([key, fold]) => [key, fold.snapshot()]));
  }

  #foldOf(slice: string): PairFold {
    return foldOf(this.#slices, slice, () => new PairFold(NOTHING));
  }

  #count(values: readonly PairValue[]): void {
    this.#all.add(values);
    eachSlice(values, (slice, own) => this.#foldOf(slice).add(own));
    this.#onLate(values.flatMap(({ late }) => late ?? []));
  }
}

const NOTHING = {
  disagreement: undefined,
  excessDisagreement: undefined,
  pairedFailures: undefined,
  pairedFelt: undefined,
};

/** Before it can hide in a mean. Throws a RangeError for a value outside [-1, 1] or NaN. */
function checked(value: number): number {
  if (value >= -1 && value <= 1) return value;
  throw new RangeError(`difference: expected a number in [-1, 1], found ${value}`);
}
