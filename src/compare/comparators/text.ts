import type { Comparator } from '../comparator.ts';
import { CELLS_MAX, textDistance } from '../edit-distance.ts';
import { rowComparator } from '../row-comparator.ts';
import { textPerRow } from '../text-rows.ts';

export type TextOptions = {
  /** The output that holds text, [N] or [N,1]. */
  readonly output: string;
  /** Distance up to which a row counts as the same answer; 0 by default. */
  readonly tolerance?: number | undefined;
};

/**
 * For text: the characters to insert, delete or replace, in parts of the longer text, in [0, 1]. Upper and lower case and white space
 * count; composed and decomposed characters are the same. Two texts of 4,096 characters take about 5 ms.
 */
export function text({ output, tolerance = 0 }: TextOptions): Comparator {
  return rowComparator({
    name: `text(tolerance=${tolerance})`,
    outputs: [output],
    tolerance,
    difference: 'values',
    distances: (reference, candidate) => {
      const [a, b] = [reference(output), candidate(output)].map(
        (tensor) => tensor && textPerRow(tensor),
      );
      const work = { left: CELLS_MAX };
      return (
        a &&
        b?.map((each, row) => {
          const { edits, lengths } = textDistance(a[row] ?? '', each, work);
          return edits / Math.max(1, ...lengths);
        })
      );
    },
  });
}
