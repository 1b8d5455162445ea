import { isFloat, typedView } from './numbers.ts';
import type { Dtype, Tensor } from './tensor.ts';

/** Values of one output that are looked at, at most: some 0.1 ms. Larger outputs are sampled, evenly. */
export const SCANNED_VALUES_MAX = 65_536;

/**
 * Whether a NaN or an infinity is among the values of a tensor, or of the part that `start` and `count` name, in elements.
 * Of more than `SCANNED_VALUES_MAX` values a sample is looked at, always the first and the last, and always the same places
 * for one length, so that two versions of one model are looked at alike. Other datatypes have no such values.
 */
export function hasNonFinite({ dtype, data }: Tensor, start = 0, count?: number): boolean {
  if (!isFloat(dtype)) return false;
  const values = typedView(dtype, data);
  const end = Math.min(values.length, start + (count ?? values.length));
  if (end <= start) return false;
  const places = { start, end, stride: strideOf(end - start) };
  if (values instanceof Uint16Array) return anyExponentFull(values, places, EXPONENT[dtype]);
  return anyNonFinite(values, places);
}

/** The bits of the exponent of narrow floats. */
const EXPONENT: Partial<Record<Dtype, number>> = { FP16: 0x7c00, BF16: 0x7f80 };

type Places = { readonly start: number; readonly end: number; readonly stride: number };

function anyNonFinite(values: Float32Array | Float64Array, places: Places): boolean {
  const { start, end, stride } = places;
  // Of a finite value nothing is left, and of any other NaN, which stays in the sum.
  let sum = 0;
  for (let at = start; at < end; at += stride) sum += (values[at] as number) * 0;
  return sum + (values[end - 1] as number) * 0 !== 0;
}

/** For narrow floats as bits: an exponent of ones is an infinity or a NaN. */
function anyExponentFull(bits: Uint16Array, places: Places, exponent = 0): boolean {
  const { start, end, stride } = places;
  for (let at = start; at < end; at += stride) {
    if (((bits[at] as number) & exponent) === exponent) return true;
  }
  return ((bits[end - 1] as number) & exponent) === exponent;
}

/** Without a divisor in common with the length: a stride of whole rows would look at one column alone. */
function strideOf(count: number): number {
  let stride = Math.ceil(count / SCANNED_VALUES_MAX);
  while (stride > 1 && hasCommonDivisor(stride, count)) stride += 1;
  return stride;
}

function hasCommonDivisor(a: number, b: number): boolean {
  let [larger, smaller] = [b, a];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger > 1;
}
