import type { DifferenceCounts, GridCounts } from '../core/evidence.ts';
import type { ValueCounts } from '../stats/bets.ts';

const STEPS_PER_UNIT = 1000;

/** Differences read from their grid: `down` for the harm test, `up` for the safety test, and what is displayed. */
export type Differences = {
  readonly down: ValueCounts;
  readonly up: ValueCounts;
  readonly samples: number;
  readonly above: number;
  readonly below: number;
  readonly mean: number | undefined;
};

/**
 * Reads a pair of grids. Undefined if they are not what they should be: a key that is no whole step, a step outside the
 * declared range, a count that is no whole number, or grids that disagree on how many values there were. Such evidence is
 * never clipped or skipped; it decides nothing.
 */
export function readDifferences(
  counts: DifferenceCounts,
  range: { readonly lower: number; readonly upper: number },
): Differences | undefined {
  const down = readGrid(counts.down, range);
  const up = readGrid(counts.up, range);
  if (down === undefined || up === undefined) return undefined;
  const samples = countOf(down);
  if (samples !== countOf(up)) return undefined;
  return {
    down,
    up,
    samples,
    above: countOf(up.filter(([value]) => value > 0)),
    below: countOf(down.filter(([value]) => value < 0)),
    // The true mean lies between the two grids' means.
    mean: samples === 0 ? undefined : (sumOf(down) + sumOf(up)) / (2 * samples) + 0,
  };
}

/** True for a whole number of things. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function readGrid(
  grid: GridCounts,
  range: { readonly lower: number; readonly upper: number },
): ValueCounts | undefined {
  const values: [number, number][] = [];
  for (const [text, count] of Object.entries(grid)) {
    const step = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    const value = step / STEPS_PER_UNIT;
    if (!(value >= range.lower && value <= range.upper) || !isCount(count)) return undefined;
    values.push([value, count]);
  }
  return values.sort(([a], [b]) => a - b);
}

function countOf(values: ValueCounts): number {
  return values.reduce((sum, [, count]) => sum + count, 0);
}

function sumOf(values: ValueCounts): number {
  return values.reduce((sum, [value, count]) => sum + value * count, 0);
}
