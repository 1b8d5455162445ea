/**
 * The gamma function and the regularised upper incomplete one, as natural logarithms so that tails far below the smallest
 * float stay usable. Series and continued fraction as in the DLMF, sections 5.11, 8.7 and 8.9 (https://dlmf.nist.gov).
 */

/** Lanczos coefficients for g = 7 with nine terms: about 15 digits. */
const LANCZOS_G = 7;
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
];
const HALF_LOG_TWO_PI = 0.9189385332046727;
const ITERATIONS_MAX = 100_000;
const TINY = 1e-300;

/** log(gamma(x)) for x > 0. */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`logGamma needs x > 0, not ${x}`);
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let sum = LANCZOS[0]!;
  for (let i = 1; i < LANCZOS.length; i += 1) sum += LANCZOS[i]! / (z + i);
  const t = z + LANCZOS_G + 0.5;
  return HALF_LOG_TWO_PI + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** log Q(a, x): the regularised upper incomplete gamma function, for a > 0 and x >= 0. */
export function logGammaQ(a: number, x: number): number {
  if (x === 0) return 0;
  return x < a + 1 ? Math.log1p(-Math.exp(logLowerSeries(a, x))) : logUpperFraction(a, x);
}

function logLowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < ITERATIONS_MAX; n += 1) {
    term *= x / (a + n);
    sum += term;
    if (term < sum * Number.EPSILON) break;
  }
  return a * Math.log(x) - x - logGamma(a) + Math.log(sum);
}

/** Lentz's method on the continued fraction of the upper function. */
function logUpperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < ITERATIONS_MAX; n += 1) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / atLeastTiny(an * d + b);
    c = atLeastTiny(b + an / c);
    const step = c * d;
    fraction *= step;
    if (Math.abs(step - 1) < Number.EPSILON) break;
  }
  return a * Math.log(x) - x - logGamma(a) + Math.log(fraction);
}

function atLeastTiny(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
