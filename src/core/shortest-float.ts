/** A format of floats: how many decimal digits distinguish its numbers. */
export type FloatFormat = {
  /** So many significant digits distinguish any number of the format from its neighbours. */
  readonly digitsMax: number;
  /** Fewer than so many need no trial from `normalFrom` on: so many with noughts at the end are the same number. */
  readonly digitsMin: number;
  readonly normalFrom: number;
  /** Gives the same for all numbers that the format rounds to the same one. */
  readonly round: (value: number) => number;
};

export const FLOAT32: FloatFormat = {
  digitsMax: 9,
  digitsMin: 6,
  normalFrom: 2 ** -126,
  round: Math.fround,
};

/** A double holds these powers of ten exactly, so that dividing by one rounds once. */
const EXACT_POWER_MAX = 22;

/** More than a decimal may differ from the double nearest to it, relatively. */
const DOUBLE_ERROR = 2 ** -50;

/**
 * The double with the fewest digits among those that are this number of the format once rounded to it: 0.1 for the FP32
 * 0.10000000149011612. A reader that takes its digits in that format, directly or through a double, gets the very same number
 * back.
 */
export function shortestFloat(value: number, format: FloatFormat): number {
  const { digitsMax, digitsMin, normalFrom, round } = format;
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size === 0) return value;
  const wanted = round(size);
  const exponent = Math.floor(Math.log10(size));
  for (let digits = size >= normalFrom ? digitsMin : 1; digits <= digitsMax; digits += 1) {
    const decimal = roundedAt(size, digits - 1 - exponent);
    if (
      round(decimal * (1 - DOUBLE_ERROR)) === wanted &&
      round(decimal * (1 + DOUBLE_ERROR)) === wanted
    ) {
      return value < 0 ? -decimal : decimal;
    }
  }
  return value;
}

/** `shortestFloat` of an FP32; whole numbers that FP32 represents exactly are returned unchanged. */
export function shortestFloat32(value: number): number {
  const isShort = Number.isInteger(value) && Math.abs(value) < 2 ** 24;
  return isShort ? value : shortestFloat(value, FLOAT32);
}

/** A number, or a flag, as JSON has it. Without a fraction some readers make -0 a whole number, which has no sign to keep. */
export function jsonNumber(value: number | bigint | boolean): string {
  return Object.is(value, -0) ? '-0.0' : String(value);
}

/** The number with so many places behind the point; before it, where there are less than none. */
function roundedAt(size: number, places: number): number {
  if (places >= 0 && places <= EXACT_POWER_MAX) {
    const power = 10 ** places;
    return Math.round(size * power) / power;
  }
  const digits = Math.round(places < 0 ? size / 10 ** -places : size * 10 ** places);
  return Number(`${digits}e${-places}`);
}
