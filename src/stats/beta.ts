import { logGamma } from './gamma.ts';

const ITERATIONS_MAX = 100_000;
const TINY = 1e-300;

/** log(B(a, b)) for a, b > 0. */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/**
 * log of the regularised incomplete beta function I_x(a, b), for a, b > 0 and 0 <= x <= 1. Continued fraction of DLMF 8.17
 * (https://dlmf.nist.gov/8.17), on the side of the mean where it converges fast.
 */
export function logRegularisedBeta(a: number, b: number, x: number): number {
  if (x <= 0) return Number.NEGATIVE_INFINITY;
  if (x >= 1) return 0;
  return x < (a + 1) / (a + b + 2)
    ? logFraction(a, b, x)
    : Math.log1p(-Math.exp(logFraction(b, a, 1 - x)));
}

function logFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / atLeastTiny(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < ITERATIONS_MAX; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / atLeastTiny(1 + even * d);
    c = atLeastTiny(1 + even / c);
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / atLeastTiny(1 + odd * d);
    c = atLeastTiny(1 + odd / c);
    const step = c * d;
    fraction *= step;
    if (Math.abs(step - 1) < Number.EPSILON) break;
  }
  return a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - logBeta(a, b) + Math.log(fraction);
}

function atLeastTiny(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
