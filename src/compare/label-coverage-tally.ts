import {
  type CoverageCounts,
  type LabelCoverage,
  type LabelledUnits,
  NO_COVERAGE,
  stablePart,
} from '../core/label-evidence.ts';
import { CoverageTally } from './coverage-tally.ts';
import { addCounts } from './difference-tally.ts';

/** A unit whose label window has ended. */
export type CoveredUnit = {
  /** Whether the versions differ on it. */
  readonly differs: boolean;
  readonly labelled: boolean;
  /** Its live answer came from the control. */
  readonly byControl: boolean;
};

/**
 * Counts how often labels come for units on which the versions agree and differ. Units of the two arms are never matched with
 * each other: labels may come more often for one arm.
 */
export class LabelCoverageTally {
  readonly #stable: CoverageTally;
  readonly #control: CoverageTally;

  constructor(from: LabelCoverage) {
    this.#stable = new CoverageTally(sidesOf(stablePart(from)));
    this.#control = new CoverageTally(sidesOf(from.control ?? NO_COVERAGE));
  }

  add({ differs, labelled, byControl }: CoveredUnit): void {
    (byControl ? this.#control : this.#stable).add({ isOther: differs, labelled });
  }

  snapshot(): LabelCoverage {
    const stable = countsOf(this.#stable);
    const control = countsOf(this.#control);
    if (control.agreeing.units + control.differing.units === 0) return stable;
    return { ...sumOfCoverage(stable, control), control };
  }
}

export function sumOfCoverage(a: CoverageCounts, b: CoverageCounts): CoverageCounts {
  return {
    agreeing: sumOfUnits(a.agreeing, b.agreeing),
    differing: sumOfUnits(a.differing, b.differing),
    blocks: addCounts(a.blocks, b.blocks),
  };
}

export function sumOfUnits(a: LabelledUnits, b: LabelledUnits): LabelledUnits {
  return { units: a.units + b.units, labelled: a.labelled + b.labelled };
}

function sidesOf({ agreeing, differing, blocks }: CoverageCounts) {
  return { base: agreeing, other: differing, blocks };
}

function countsOf(tally: CoverageTally): CoverageCounts {
  const { base, other, blocks } = tally.snapshot();
  return { agreeing: base, differing: other, blocks };
}
