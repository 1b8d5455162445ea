import type { Comparator } from '../comparator.ts';
import { type NumberRows, numberRowsOf } from '../number-rows.ts';
import { rowComparator } from '../row-comparator.ts';

export type LabelMapOptions = {
  /** The output that holds a score per label, [N,C]. */
  readonly output: string;
  /** A label holds from this score on, in the output's own unit. */
  readonly threshold: number;
  /** Share of a row's labels that may flip while it counts as the same answer; 0 by default. */
  readonly tolerance?: number | undefined;
};

/** For answers of several labels at once: the share of a row's labels that hold in one of the two answers only. */
export function labelMap({ output, threshold, tolerance = 0 }: LabelMapOptions): Comparator {
  return rowComparator({
    name: `labelMap(threshold=${threshold}, tolerance=${tolerance})`,
    outputs: [output],
    tolerance,
    difference: 'label',
    distances: (reference, candidate) => {
      const [a, b] = [reference(output), candidate(output)].map(
        (tensor) => tensor && numberRowsOf(tensor),
      );
      return a && b && flips(a, b, threshold);
    },
  });
}

function flips(a: NumberRows, b: NumberRows, threshold: number): readonly number[] {
  return Array.from({ length: a.rows }, (_, row) => {
    let sum = 0;
    for (let at = row * a.width; at < (row + 1) * a.width; at += 1) {
      // NaN of any label stays.
      sum += flip(a.values[at], b.values[at], threshold);
    }
    return a.width === 0 ? 0 : sum / a.width;
  });
}

function flip(reference = Number.NaN, candidate = Number.NaN, threshold = Number.NaN): number {
  if (Object.is(reference, candidate)) return 0;
  if (!Number.isFinite(reference) || !Number.isFinite(candidate)) return Number.NaN;
  return reference >= threshold === candidate >= threshold ? 0 : 1;
}
