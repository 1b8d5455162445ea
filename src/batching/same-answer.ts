/**
 * Whether two answers to one request are the same. A run of other rows may add up in another order, so floating-point outputs may
 * differ by rounding; anything more means that the rows of a run depend on each other.
 */
import { isFloat, numbersOf } from '../core/numbers.ts';
import { type Dtype, formatShape, type Tensor } from '../core/tensor.ts';

/** The largest difference that is rounding, relative to the largest |y| of the output. */
const ROUNDING_RATIO = 1e-3;
/** Four units in the last place of the formats that are coarser than that: binary16 has 10 bits of fraction, bfloat16 7. */
const COARSE_RATIO: Partial<Record<Dtype, number>> = { FP16: 4 * 2 ** -10, BF16: 4 * 2 ** -7 };

/** The largest finite |y| of each output, by its place: what a difference is held against. */
export type Scales = readonly number[];

export function scalesOf(outputs: readonly Tensor[]): Scales {
  return outputs.map((output) => {
    let most = 0;
    const values = isFloat(output.dtype) ? numbersOf(output) : undefined;
    for (let at = 0; at < (values?.length ?? 0); at += 1) {
      const size = Math.abs(values?.[at] ?? 0);
      if (size > most && size < Number.POSITIVE_INFINITY) most = size;
    }
    return most;
  });
}

/**
 * What is not the same beyond rounding, in words; undefined: nothing. Whole numbers and strings must be equal, and so must the
 * places of NaN and infinities.
 */
export function differenceOf(
  expected: readonly Tensor[],
  found: readonly Tensor[],
  scales: Scales,
): string | undefined {
  for (const [at, output] of expected.entries()) {
    const other = found[at];
    const difference =
      shapeDifference(output, other) ??
      (isFloat(output.dtype)
        ? floatDifference(output, other, scales[at] ?? 0)
        : byteDifference(output, other));
    if (difference !== undefined) return `output '${output.name}' ${difference}`;
  }
  return undefined;
}

/**
 * What differs by a single bit beyond the noise of identical repeats, in words; undefined: nothing. `noise`: the largest
 * difference that the same run showed when it was repeated, by output.
 */
export function bitDifferenceOf(
  expected: readonly Tensor[],
  found: readonly Tensor[],
  noise: Scales,
): string | undefined {
  for (const [at, output] of expected.entries()) {
    const other = found[at];
    const difference = shapeDifference(output, other) ?? byteDifference(output, other);
    if (difference === undefined) continue;
    const allowed = noise[at] ?? 0;
    if (allowed > 0 && other !== undefined && largestDifference(output, other) <= allowed) continue;
    return `output '${output.name}' ${difference}`;
  }
  return undefined;
}

/** The largest difference between two answers, by output; Infinity where they cannot be held against each other. */
export function noiseOf(a: readonly Tensor[], b: readonly Tensor[]): Scales {
  return a.map((output, at) => {
    const other = b[at];
    if (byteDifference(output, other) === undefined) return 0;
    return other === undefined ? Number.POSITIVE_INFINITY : largestDifference(output, other);
  });
}

function shapeDifference(a: Tensor, b: Tensor | undefined): string | undefined {
  if (b === undefined) return 'is missing';
  const isSame =
    a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis]);
  return isSame
    ? undefined
    : `has shape ${formatShape(b.shape)} instead of ${formatShape(a.shape)}`;
}

function byteDifference(a: Tensor, b: Tensor | undefined): string | undefined {
  if (b !== undefined && Buffer.compare(a.data, b.data) === 0) return undefined;
  const [mine, theirs] = [numbersOf(a), b === undefined ? undefined : numbersOf(b)];
  for (let at = 0; at < (mine?.length ?? 0); at += 1) {
    const [x, y] = [mine?.[at], theirs?.[at]];
    if (!Object.is(x, y)) return `is ${y} instead of ${x} at element ${at}`;
  }
  return 'differs';
}

function floatDifference(a: Tensor, b: Tensor | undefined, scale: number): string | undefined {
  const [mine, theirs] = [numbersOf(a), b === undefined ? undefined : numbersOf(b)];
  if (mine === undefined || theirs === undefined || mine.length !== theirs.length) return 'differs';
  const allowed = scale * Math.max(ROUNDING_RATIO, COARSE_RATIO[a.dtype] ?? 0);
  for (let at = 0; at < mine.length; at += 1) {
    const [x, y] = [mine[at] ?? 0, theirs[at] ?? 0];
    if (Object.is(x, y) || Math.abs(x - y) <= allowed) continue;
    if (Number.isNaN(x) && Number.isNaN(y)) continue;
    return `is ${y} instead of ${x} at element ${at}`;
  }
  return undefined;
}

function largestDifference(a: Tensor, b: Tensor): number {
  const [mine, theirs] = [numbersOf(a), numbersOf(b)];
  if (mine === undefined || theirs === undefined || mine.length !== theirs.length) {
    return Number.POSITIVE_INFINITY;
  }
  let most = 0;
  for (let at = 0; at < mine.length; at += 1) {
    const [x, y] = [mine[at] ?? 0, theirs[at] ?? 0];
    if (Object.is(x, y)) continue;
    const distance = Math.abs(x - y);
    if (!(distance <= most)) most = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
  }
  return most;
}
