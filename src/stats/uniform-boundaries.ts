/**
 * Conjugate mixtures: boundaries that a sum of centred values crosses at any time, ever, with probability at most alpha, in
 * terms of its sum `s` and its intrinsic time `v` (a variance that has been accumulated).
 *
 * Source: Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences" (Annals of
 * Statistics 49(2), 2021; arXiv 1810.08240), propositions 4 to 8. Used for display, not for verdicts.
 */
import { logBeta, logRegularisedBeta } from './beta.ts';

export type UniformBoundary = {
  /** Natural logarithm of the mixture: an e-process, read at sum `s` and intrinsic time `v`. */
  readonly logMixture: (s: number, v: number) => number;
};

/** The intrinsic time at which a boundary is to be tightest, and for which alpha. */
export type Tuning = { readonly vOpt: number; readonly alphaOpt: number };

export type Sides = 'one' | 'two';

/** The mixture's scale that makes the two-sided boundary tightest at `vOpt` (to a good approximation). */
export function bestRho({ vOpt, alphaOpt }: Tuning): number {
  const log = Math.log(1 / alphaOpt);
  return vOpt / (2 * log + Math.log1p(2 * log));
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
  };
}

/** A one-sided mixture is the upper half of a two-sided one, which is tuned for half of its alpha on each side. */
function rhoFor({ vOpt, alphaOpt }: Tuning, sides: Sides): number {
  return bestRho({ vOpt, alphaOpt: sides === 'one' ? 2 * alphaOpt : alphaOpt });
}
