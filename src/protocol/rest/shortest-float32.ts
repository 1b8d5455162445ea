/** Nine significant digits tell any FP32 from its neighbours; fewer than six need no trial, as six with noughts are the same number. */
const DIGITS_MIN = 6;
const DIGITS_MAX = 9;

/** A double holds these powers of ten exactly, so that dividing by one rounds once. */
const EXACT_POWER_MAX = 22;

/** More than a decimal may differ from the double nearest to it, relatively. */
const DOUBLE_ERROR = 2 ** -50;

/**
 * The double with the fewest digits among those that are this FP32 once rounded to one: 0.1 for 0.10000000149011612. A reader
 * that takes its digits as FP32, directly or through a double, gets the very same number back.
 */
export function shortestFloat32(value: number): number {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || (Number.isInteger(value) && size < 2 ** 24)) return value;
  const exponent = Math.floor(Math.log10(size));
  for (let digits = DIGITS_MIN; digits <= DIGITS_MAX; digits += 1) {
    const decimal = roundedAt(size, digits - 1 - exponent);
    if (
      Math.fround(decimal * (1 - DOUBLE_ERROR)) === size &&
      Math.fround(decimal * (1 + DOUBLE_ERROR)) === size
    ) {
      return value < 0 ? -decimal : decimal;
    }
  }
  return value;
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
