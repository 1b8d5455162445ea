import type { Comparator } from '../comparator.ts';
import { type NumberRows, numberRowsOf } from '../number-rows.ts';
import { rowComparator } from '../row-comparator.ts';

export type RegressionOptions = {
  readonly output: string;
  /** Distance up to which a row counts as the same answer; 0.01 by default: one percent. */
  readonly tolerance?: number | undefined;
  /** What a difference is measured against where the value itself is smaller, in the output's own unit, above 0; 1 by default. */
  readonly scale?: number | undefined;
};

const TOLERANCE = 0.01;
const SCALE = 1;

/**
 * For numbers: the greatest |candidate - reference| / max(|reference|, scale) of a row, a relative error that does not explode near 0.
 * With `scale` in the size of a difference that matters, small values are held to it and large ones to their own size.
 */
export function regression({
  output,
  tolerance = TOLERANCE,
  scale = SCALE,
}: RegressionOptions): Comparator {
  return rowComparator({
    name: `regression(tolerance=${tolerance}, scale=${scale})`,
    outputs: [output],
    tolerance,
    difference: 'values',
    distances: (reference, candidate) => {
      const [a, b] = [reference(output), candidate(output)].map(
        (tensor) => tensor && numberRowsOf(tensor),
      );
      return a && b && relativeErrors(a, b, scale);
    },
  });
}

function relativeErrors(a: NumberRows, b: NumberRows, scale: number): readonly number[] {
  const errors: number[] = [];
  for (let row = 0; row < a.rows; row += 1) {
    let greatest = 0;
    for (let at = row * a.width; at < (row + 1) * a.width; at += 1) {
      // NaN of any value stays.
      greatest = Math.max(greatest, relativeError(a.values[at], b.values[at], scale));
    }
    errors.push(greatest);
  }
  return errors;
}

/** NaN where one of the two is no finite number and the other is not the same. */
function relativeError(reference = Number.NaN, candidate = Number.NaN, scale = Number.NaN): number {
  if (Object.is(reference, candidate)) return 0;
  if (!Number.isFinite(reference) || !Number.isFinite(candidate)) return Number.NaN;
  return Math.abs(candidate - reference) / Math.max(Math.abs(reference), scale);
}
