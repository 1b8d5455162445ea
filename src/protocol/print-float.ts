/** A number as C's `%f` writes it: six decimals, the value itself rounded half to even, never an exponent. */
export function printFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  const magnitude = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return sign + (Number.isFinite(magnitude) ? decimals(magnitude) : 'inf');
}

/** From here on a double has no fraction, and not much further `toFixed` goes over to exponents. */
const WHOLE_FROM = 2 ** 53;

function decimals(magnitude: number): string {
  if (magnitude >= WHOLE_FROM) return `${BigInt(magnitude)}.000000`;
  const rounded = magnitude.toFixed(6);
  if (!isHalfway(magnitude)) return rounded;
  // `toFixed` rounds halves up; where the digit below is even, C stays there.
  const below = magnitude.toFixed(7).slice(0, -1);
  return Number(below.at(-1)) % 2 === 0 ? below : rounded;
}

/** A double lies exactly between two numbers of six decimals only where it is an odd multiple of 1/128. */
function isHalfway(magnitude: number): boolean {
  const scaled = magnitude * 128;
  return Number.isInteger(scaled) && scaled % 2 === 1;
}
