import { unpack, type Value } from '../conformance/wire/datatype.ts';
import { difference as bitDifference, type KitTensor, show } from '../conformance/wire/tensor.ts';

/** Relative to the largest finite |y| of the lone output; the second is four units in the last place of binary16. */
const ROUNDING: Readonly<Record<string, number>> = { FP64: 1e-3, FP32: 1e-3, FP16: 4 * 2 ** -10 };

/**
 * Where an answer is not the lone one but for rounding, in words; undefined where it is. Whole numbers and strings must be
 * equal; NaN stands where NaN stood, and infinities of the same sign.
 */
export function differenceOf(
  lone: readonly KitTensor[],
  found: readonly KitTensor[],
): string | undefined {
  if (found.length !== lone.length) return `${found.length} outputs instead of ${lone.length}`;
  for (const output of lone) {
    const other = found.find(({ name }) => name === output.name);
    const ratio = ROUNDING[output.datatype];
    const why =
      ratio === undefined || other === undefined || String(other.shape) !== String(output.shape)
        ? bitDifference(output, other)
        : floatDifference(output, other, ratio);
    if (why !== undefined) return why;
  }
  return undefined;
}

function floatDifference(lone: KitTensor, other: KitTensor, ratio: number): string | undefined {
  if (other.datatype !== lone.datatype) return bitDifference(lone, other);
  const [ours, theirs] = [numbers(lone), numbers(other)];
  if (ours.length !== theirs.length) return `${lone.name}: ${theirs.length} elements`;
  const finite = ours.filter(Number.isFinite).map(Math.abs);
  const allowed = ratio * finite.reduce((most, each) => Math.max(most, each), 0);
  const at = ours.findIndex((value, index) => !isSame(value, theirs[index] ?? 0, allowed));
  return at < 0
    ? undefined
    : `${lone.name}[${at}]: ${show(theirs[at])} instead of ${show(ours[at])}`;
}

function isSame(lone: number, found: number, allowed: number): boolean {
  if (Number.isNaN(lone)) return Number.isNaN(found);
  if (!Number.isFinite(lone)) return lone === found;
  return Math.abs(lone - found) <= allowed;
}

function numbers({ datatype, bytes }: KitTensor): readonly number[] {
  return unpack(datatype, bytes).map((value: Value) => Number(value));
}
