import type { Tensor } from '../core/tensor.ts';

/** True if both have one dtype and one shape: what a caller that parses the one can parse in the other. */
export function sameLayout(a: Tensor, b: Tensor): boolean {
  return (
    a.dtype === b.dtype &&
    a.shape.length === b.shape.length &&
    a.shape.every((dimension, index) => dimension === b.shape[index])
  );
}

/** How a tensor of class scores divides: [C] is one row, [N,C] is N rows; undefined for any other rank. */
export function rowsOf(
  shape: readonly number[],
): { readonly rows: number; readonly classes: number } | undefined {
  const [first, second] = shape;
  if (shape.length === 1 && first !== undefined) return { rows: 1, classes: first };
  if (shape.length === 2 && first !== undefined && second !== undefined) {
    return { rows: first, classes: second };
  }
  return undefined;
}
