import { findRoot } from './find-root.ts';
import { betaBinomialMixture } from './uniform-boundaries.ts';

export type Interval = { readonly lower: number; readonly upper: number };

/**
 * A confidence sequence for a rate: holds at all sample sizes simultaneously with probability 1 - alpha. Sharpest at `tOpt`
 * samples. Source: Howard and others (arXiv 1810.08240), proposition 7 with a beta-binomial mixture, inverted.
 */
export function bernoulliInterval(
  successes: number,
  trials: number,
  options: { readonly alpha: number; readonly tOpt: number; readonly alphaOpt?: number },
): Interval {
  if (!(trials > 0)) return { lower: 0, upper: 1 };
  const { alpha, tOpt, alphaOpt = 0.05 } = options;
  const seen = successes / trials;
  const threshold = Math.log(1 / alpha);
  const excess = (p: number): number => {
    const tuning = { vOpt: p * (1 - p) * tOpt, alphaOpt };
    const mixture = betaBinomialMixture(tuning, { g: p, h: 1 - p }, 'two');
    return mixture.logMixture((seen - p) * trials, p * (1 - p) * trials) - threshold;
  };
  // A rate of 0 or 1 is impossible once the other outcome has been seen.
  const inside = (p: number): boolean => p > 0 && p < 1;
  const below = (p: number): number => (inside(p) ? excess(p) : p <= 0 ? 1 : -1);
  const above = (p: number): number => (inside(p) ? excess(p) : p >= 1 ? 1 : -1);
  return {
    lower: seen > 0 ? findRoot(below, 0, seen) : 0,
    upper: seen < 1 ? findRoot(above, seen, 1) : 1,
  };
}
