/** A binary format of floats in 16 bits: a sign, an exponent, a fraction. */
type NarrowFormat = {
  readonly fractionBits: number;
  /** Of the least normal number. */
  readonly exponentMin: number;
  /** Without the sign. */
  readonly infinityBits: number;
  readonly nanBits: number;
};

/** IEEE 754 binary16. */
export const FP16: NarrowFormat = {
  fractionBits: 10,
  exponentMin: -14,
  infinityBits: 0x7c00,
  nanBits: 0x7e00,
};

/** bfloat16: the upper half of an IEEE 754 binary32. */
export const BF16: NarrowFormat = {
  fractionBits: 7,
  exponentMin: -126,
  infinityBits: 0x7f80,
  nanBits: 0x7fc0,
};

const SIGN_BIT = 0x8000;

/** The bits of the nearest number of the format, ties to even; infinity where that is beyond its largest. */
export function toNarrowBits(format: NarrowFormat, value: number): number {
  const { fractionBits, exponentMin, infinityBits, nanBits } = format;
  if (Number.isNaN(value)) return nanBits;
  const sign = value < 0 || Object.is(value, -0) ? SIGN_BIT : 0;
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return sign | infinityBits;
  const exponent = Math.max(exponentMin, Math.floor(Math.log2(size)));
  // In steps of the last place. One too many of them, by rounding or by a logarithm that is off by one, carries into the exponent.
  const steps = roundToEven(size / 2 ** (exponent - fractionBits));
  const bits = (exponent - exponentMin) * 2 ** fractionBits + steps;
  return sign | Math.min(bits, infinityBits);
}

export function fromNarrowBits(format: NarrowFormat, bits: number): number {
  const { fractionBits, exponentMin, infinityBits } = format;
  const sign = bits & SIGN_BIT ? -1 : 1;
  const size = bits & ~SIGN_BIT;
  if (size > infinityBits) return Number.NaN;
  if (size === infinityBits) return sign * Number.POSITIVE_INFINITY;
  const whole = 2 ** fractionBits;
  const [exponent, fraction] = [Math.floor(size / whole), size % whole];
  const steps = exponent === 0 ? fraction : whole + fraction;
  return sign * steps * 2 ** (exponentMin - fractionBits + Math.max(0, exponent - 1));
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest === 0.5) return below % 2 === 0 ? below : below + 1;
  return rest < 0.5 ? below : below + 1;
}
