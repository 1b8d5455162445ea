/**
 * FP16 and BF16 by their bits, both ways. Numbers are rounded once, to the nearest, ties to even.
 *
 * By hand for speed: `@petamoriken/float16` reads a million FP16 in 200 ms and more, and writes them one by one, as they come from
 * JSON, in 2 s, where this takes 1 ms and 8 ms (busy two-core machine, Node 20). The tests hold all 65,536 to that package.
 */

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** Infinity where the number is beyond the largest FP16. */
export function toFp16Bits(value: number): number {
  if (Number.isNaN(value)) return FP16_NAN;
  const bits = markedBits(value);
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size >= FP32_OF_2_16) return sign | FP16_INFINITY;
  if (size >= FP32_OF_FP16_NORMAL) return sign | shiftRounded(size - FP16_REBIAS, 13);
  // Below the normal numbers the step is 2^-24, so the whole significand moves right.
  const shift = 126 - (size >>> 23);
  return shift > 24 ? sign : sign | shiftRounded((size & 0x7fffff) | 0x800000, shift);
}

export function fromFp16Bits(bits: number): number {
  return fp16Table()[bits & 0xffff] ?? Number.NaN;
}

export function numbersOfFp16(bits: Uint16Array): Float32Array {
  const table = fp16Table();
  const numbers = new Float32Array(bits.length);
  for (let at = 0; at < numbers.length; at += 1) numbers[at] = table[bits[at] ?? 0] ?? Number.NaN;
  return numbers;
}

let knownFp16: Float32Array | undefined;

/** The number of each of the 65,536 patterns of bits; made when it is first needed, as 256 KiB are much for nothing. */
function fp16Table(): Float32Array {
  knownFp16 ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => computedFp16(bits));
  return knownFp16;
}

function computedFp16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (0x400 + fraction) * 2 ** (exponent - 25);
}

/** Infinity where the number is beyond the largest BF16. */
export function toBf16Bits(value: number): number {
  return Number.isNaN(value) ? BF16_NAN : shiftRounded(markedBits(value), 16);
}

export function fromBf16Bits(bits: number): number {
  floatBits[0] = bits << 16;
  return float[0] ?? Number.NaN;
}

/** A bfloat16 is the upper half of an FP32. */
export function numbersOfBf16(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let at = 0; at < words.length; at += 1) words[at] = (bits[at] ?? 0) << 16;
  return new Float32Array(words.buffer);
}

const FP16_NAN = 0x7e00;
const FP16_INFINITY = 0x7c00;
const BF16_NAN = 0x7fc0;

/** Bits of the FP32 2^16, which no FP16 reaches, and of 2^-14, the least normal FP16. */
const FP32_OF_2_16 = 0x47800000;
const FP32_OF_FP16_NORMAL = 0x38800000;

/** What an FP32's exponent, biased by 127, has more than an FP16's, biased by 15. */
const FP16_REBIAS = (127 - 15) << 23;

/**
 * The bits of the FP32 next to the number towards zero, the last of them set where something was cut off. Rounding to FP32
 * first and then further would err where the first rounding makes a tie; the mark keeps it from being one.
 */
function markedBits(value: number): number {
  const nearest = Math.fround(value);
  float[0] = nearest;
  const bits = floatBits[0] ?? 0;
  if (nearest === value) return bits;
  return (Math.abs(nearest) > Math.abs(value) ? bits - 1 : bits) | 1;
}

/** `bits / 2^shift`, rounded to the nearest, ties to even. */
function shiftRounded(bits: number, shift: number): number {
  const half = 2 ** (shift - 1);
  return (bits + half - 1 + ((bits >>> shift) & 1)) >>> shift;
}
