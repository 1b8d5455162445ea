import type { DifferenceCounts, GridCounts } from '../core/evidence.ts';

const STEPS_PER_UNIT = 1000;

/** What binary fractions leave of a value that was meant to lie on the grid, in steps, with room. */
const SNAP_STEPS = 1e-9;

/** Counts differences in [-1, 1] on the grid of 1/1000 of `core/evidence.ts`. */
export class DifferenceTally {
  readonly #down: Map<string, number>;
  readonly #up: Map<string, number>;

  constructor(from: DifferenceCounts) {
    this.#down = new Map(Object.entries(from.down));
    this.#up = new Map(Object.entries(from.up));
  }

  /**
   * Counts one value, which is at least `low` and at most `high`: the harm test reads the lower one, the safety test the other. By default
   * it is known. Throws a RangeError for a value outside [-1, 1] or NaN: bounds are part of the proof, so nothing is clipped.
   */
  add(low: number, high: number = low): void {
    if (!(low >= -1 && low <= high && high <= 1)) {
      const found = low === high ? low : `${low} to ${high}`;
      throw new RangeError(`difference: expected a number in [-1, 1], found ${found}`);
    }
    increment(this.#down, `${gridSteps(low).down}`);
    increment(this.#up, `${gridSteps(high).up}`);
  }

  snapshot(): DifferenceCounts {
    return { down: sortedRecord(this.#down), up: sortedRecord(this.#up) };
  }
}

/** The steps at or below and at or above a value; one and the same for a value on the grid. */
export function gridSteps(value: number): { readonly down: number; readonly up: number } {
  const steps = value * STEPS_PER_UNIT;
  const nearest = Math.round(steps);
  if (Math.abs(steps - nearest) <= SNAP_STEPS) return { down: nearest + 0, up: nearest + 0 };
  // Adding zero turns -0 into 0: they are one step.
  return { down: Math.floor(steps) + 0, up: Math.ceil(steps) + 0 };
}

export function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** A plain object whose keys are in one order for any order of counting, so that equal counts have equal JSON. */
export function sortedRecord<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const sorted = [...entries];
  if (!isInOrder(sorted)) sorted.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(sorted);
}

function isInOrder(entries: readonly (readonly [string, unknown])[]): boolean {
  let before = '';
  for (const [key] of entries) {
    if (key < before) return false;
    before = key;
  }
  return true;
}

/** The counts of both, added. */
export function addCounts(a: GridCounts, b: GridCounts): GridCounts {
  const sum = new Map(Object.entries(a));
  for (const [key, count] of Object.entries(b)) sum.set(key, (sum.get(key) ?? 0) + count);
  return sortedRecord(sum);
}
