import type { Comparator } from '../comparator.ts';
import { elementPerRow } from '../elements.ts';
import { rowComparator } from '../row-comparator.ts';

/**
 * For classifiers that answer with the label itself, as whole numbers or text, [N] or [N,1]: a row differs where its label does, byte by
 * byte. A label has no distance: it is 0 or 1.
 */
export function classLabels(output: string): Comparator {
  return rowComparator({
    name: 'classLabels',
    outputs: [output],
    tolerance: 0,
    difference: 'label',
    distances: (reference, candidate) => {
      const [a, b] = [reference(output), candidate(output)].map(
        (tensor) => tensor && elementPerRow(tensor),
      );
      return a && b?.map((label, row) => (isEqual(label, a[row]) ? 0 : 1));
    },
  });
}

function isEqual(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}
