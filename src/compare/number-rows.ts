import { numbersOf } from '../core/numbers.ts';
import type { Tensor } from '../core/tensor.ts';

/** The numbers of a tensor by rows of its first dimension; a scalar is one row of one number. */
export type NumberRows = {
  readonly values: ArrayLike<number>;
  readonly rows: number;
  /** Numbers of one row. */
  readonly width: number;
};

/** Undefined for strings and for a tensor whose bytes are not of the length that its shape says. */
export function numberRowsOf(tensor: Tensor): NumberRows | undefined {
  const values = numbersOf(tensor);
  if (values === undefined) return undefined;
  const [rows = 1, ...rest] = tensor.shape;
  const width = rest.reduce((product, size) => product * size, 1);
  return rows * width === values.length ? { values, rows, width } : undefined;
}
