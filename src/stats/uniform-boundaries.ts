/**
 * Conjugate mixtures: boundaries that a sum of centred values crosses at any time, ever, with probability at most alpha, in
 * terms of its sum `s` and its intrinsic time `v` (a variance that has been accumulated).
 *
 * Source: Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences" (Annals of
 * Statistics 49(2), 2021; arXiv 1810.08240), propositions 4 to 8. Used for display, not for verdicts.
 */
import { logBeta, logRegularisedBeta } from './beta.ts';
import { findRoot } from './find-root.ts';
import { logGamma, logGammaP } from './gamma.ts';

export type UniformBoundary = {
  /** Natural logarithm of the mixture: an e-process, read at sum `s` and intrinsic time `v`. */
  readonly logMixture: (s: number, v: number) => number;
  /** The greatest sum that the values can reach by `v`; infinite where nothing bounds it. */
  readonly greatestSum: (v: number) => number;
};

/** The intrinsic time at which a boundary is to be tightest, and for which alpha. */
export type Tuning = { readonly vOpt: number; readonly alphaOpt: number };

export type Sides = 'one' | 'two';

/** The mixture's scale that makes the two-sided boundary tightest at `vOpt` (to a good approximation). */
export function bestRho({ vOpt, alphaOpt }: Tuning): number {
  const log = Math.log(1 / alphaOpt);
  return vOpt / (2 * log + Math.log1p(2 * log));
}

/** For sub-exponential sums with scale `c`: values that may jump upward by about `c`. One-sided. */
export function gammaExponentialMixture(tuning: Tuning, c: number): UniformBoundary {
  const a = rhoFor(tuning, 'one') / (c * c);
  const leading = a * Math.log(a) - logGamma(a) - logGammaP(a, a);
  return {
    logMixture: (s, v) => {
      const b = a + v / (c * c);
      const y = (c * s + v) / (c * c);
      // Below this the sum is so low that the mixture is not defined; there is no evidence there either.
      if (y + a <= 0) return Number.NEGATIVE_INFINITY;
      return leading + logGamma(b) + logGammaP(b, y + a) - b * Math.log(y + a) + y;
    },
    greatestSum: () => Number.POSITIVE_INFINITY,
  };
}

/** For values that lie between `-g` and `h` (0/1 data of mean p: g = p, h = 1 - p). */
export function betaBinomialMixture(
  tuning: Tuning,
  range: { readonly g: number; readonly h: number },
  sides: Sides,
): UniformBoundary {
  const { g, h } = range;
  const width = g + h;
  const r = Math.max(rhoFor(tuning, sides) - g * h, 1e-3 * g * h);
  const x = sides === 'one' ? h / width : 1;
  const logArea = (a: number, b: number): number => logBeta(a, b) + logRegularisedBeta(a, b, x);
  const normaliser = logArea(r / (g * width), r / (h * width));
  return {
    logMixture: (s, v) =>
      (v / (g * h)) * Math.log(width) -
      ((v + h * s) / (h * width)) * Math.log(g) -
      ((v - g * s) / (g * width)) * Math.log(h) +
      logArea((r + v - g * s) / (g * width), (r + v + h * s) / (h * width)) -
      normaliser,
    greatestSum: (v) => v / g,
  };
}

/**
 * The sum at which the mixture reaches 1/alpha at intrinsic time `v`. Where it cannot, because even the greatest possible sum
 * is too little evidence, that greatest sum: ask `canReach` before taking it for a boundary.
 */
export function boundaryAt(boundary: UniformBoundary, v: number, alpha: number): number {
  const threshold = Math.log(1 / alpha);
  const high = highEnough(boundary, v, threshold);
  if (!canReach(boundary, v, alpha)) return high;
  return findRoot((s) => boundary.logMixture(s, v) - threshold, 0, high);
}

/** Whether any sum that can occur by `v` is evidence at level `alpha`. */
export function canReach(boundary: UniformBoundary, v: number, alpha: number): boolean {
  const greatest = boundary.greatestSum(v);
  return greatest === Number.POSITIVE_INFINITY
    ? true
    : boundary.logMixture(greatest, v) >= Math.log(1 / alpha);
}

function highEnough(boundary: UniformBoundary, v: number, threshold: number): number {
  const greatest = boundary.greatestSum(v);
  if (greatest !== Number.POSITIVE_INFINITY) return greatest;
  let trial = Math.max(v, 1);
  while (boundary.logMixture(trial, v) <= threshold) trial *= 2;
  return trial;
}

/** A one-sided mixture is the upper half of a two-sided one, which is tuned for half of its alpha on each side. */
function rhoFor({ vOpt, alphaOpt }: Tuning, sides: Sides): number {
  return bestRho({ vOpt, alphaOpt: sides === 'one' ? 2 * alphaOpt : alphaOpt });
}
