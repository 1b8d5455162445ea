import type { Tensor } from '../core/tensor.ts';
import { numberRowsOf } from './number-rows.ts';

/** The vectors of an answer: one per row, or one per token of a row. */
export type Vectors = {
  readonly values: ArrayLike<number>;
  readonly rows: number;
  /** 1 where a row is one vector. */
  readonly tokens: number;
  /** Numbers of one vector. */
  readonly size: number;
};

/** [D] is one row, [N,D] has a vector per row, [N,T,D] one per token. Undefined for other ranks, and for strings. */
export function vectorsOf(tensor: Tensor): Vectors | undefined {
  const numbers = numberRowsOf(tensor);
  const { shape } = tensor;
  const size = shape.at(-1);
  if (numbers === undefined || size === undefined || shape.length > 3) return undefined;
  const [first = 1, second = 1] = shape;
  return {
    values: numbers.values,
    rows: shape.length === 1 ? 1 : first,
    tokens: shape.length === 3 ? second : 1,
    size,
  };
}

/** Two vectors of one size, at the same place of two answers of one shape. */
export type VectorPair = {
  readonly a: ArrayLike<number>;
  readonly b: ArrayLike<number>;
  readonly start: number;
  readonly size: number;
};

/**
 * How two vectors lie to each other: the cosine of their angle, and the length of `a` in lengths of `b`. Or `equal`, `zero` (both are
 * all zeros: padding, for the most part), `oneZero`, or `nonFinite` (one has NaN or an infinity that the other lacks).
 */
export type Angle =
  | { readonly cosine: number; readonly ratio: number }
  | 'equal'
  | 'zero'
  | 'oneZero'
  | 'nonFinite';

/** Equal elements that are no finite numbers are left out: both say the same of them. */
export function angleOf(pair: VectorPair): Angle {
  const sums = sumsOf(pair);
  if (isExact(sums)) return sums.isEqual ? 'equal' : angle(sums, 1);
  const finite = finiteOf(pair);
  if (finite === undefined) return 'nonFinite';
  const [sizeA, sizeB] = [shrink(finite.a), shrink(finite.b)];
  if (sizeA === 0 || sizeB === 0) return sizeA === sizeB ? 'zero' : 'oneZero';
  const shrunk = sumsOf(finite);
  return shrunk.isEqual && sizeA === sizeB ? 'equal' : angle(shrunk, sizeA / sizeB);
}

type Sums = {
  readonly aa: number;
  readonly bb: number;
  readonly ab: number;
  readonly isEqual: boolean;
};

function sumsOf({ a, b, start, size }: VectorPair): Sums {
  let aa = 0;
  let bb = 0;
  let ab = 0;
  let isEqual = true;
  for (let at = start; at < start + size; at += 1) {
    const x = a[at] ?? Number.NaN;
    const y = b[at] ?? Number.NaN;
    if (x !== y) isEqual = false;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  return { aa, bb, ab, isEqual };
}

/** Sums of squares far from the ends of the doubles have lost nothing; false for NaN. */
function isExact({ aa, bb }: Sums): boolean {
  return aa > 1e-200 && bb > 1e-200 && aa < 1e200 && bb < 1e200;
}

function angle({ aa, bb, ab }: Sums, ratio: number): Angle {
  const cosine = ab / Math.sqrt(aa) / Math.sqrt(bb);
  return { cosine: Math.max(-1, Math.min(1, cosine)), ratio: ratio * Math.sqrt(aa / bb) };
}

type FinitePair = VectorPair & { readonly a: Float64Array; readonly b: Float64Array };

/** Copies of both, without the elements that are equal and not finite. Undefined where one has such an element alone. */
function finiteOf({ a, b, start, size }: VectorPair): FinitePair | undefined {
  const finite = { a: new Float64Array(size), b: new Float64Array(size), start: 0, size };
  for (let at = 0; at < size; at += 1) {
    const x = a[start + at] ?? Number.NaN;
    const y = b[start + at] ?? Number.NaN;
    if (Number.isFinite(x) && Number.isFinite(y)) {
      finite.a[at] = x;
      finite.b[at] = y;
    } else if (!Object.is(x, y)) {
      return undefined;
    }
  }
  return finite;
}

/** Divides by the greatest magnitude, in place, and gives it. */
function shrink(vector: Float64Array): number {
  const greatest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (greatest > 0)
    for (let at = 0; at < vector.length; at += 1) vector[at] = (vector[at] ?? 0) / greatest;
  return greatest;
}
