import { isFloat, numbersOf } from '../core/numbers.ts';
import type { Tensor } from '../core/tensor.ts';
import { topClass } from './ranking.ts';

/** The tag of each token of each row. */
export type Tags = {
  /** -1 for a token whose scores have NaN. */
  readonly values: ArrayLike<number>;
  readonly rows: number;
  readonly tokens: number;
};

/** Of scores, [N,T,C], the best of each token; of whole numbers, [N,T], the numbers. Undefined for anything else. */
export function tagsOf(tensor: Tensor): Tags | undefined {
  const { shape, dtype } = tensor;
  const values = numbersOf(tensor);
  const [rows = 0, tokens = 0, classes = 0] = shape;
  if (values === undefined) return undefined;
  if (shape.length === 2 && !isFloat(dtype)) return { values, rows, tokens };
  if (shape.length !== 3) return undefined;
  const tags = new Int32Array(rows * tokens);
  for (let at = 0; at < tags.length; at += 1) {
    tags[at] = topClass({ scores: values, start: at * classes, classes });
  }
  return { values: tags, rows, tokens };
}
