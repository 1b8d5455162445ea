/**
 * Quantiles under continuous monitoring: an interval for one.
 * Source: Howard and Ramdas, "Sequential estimation of quantiles" (Bernoulli 28(3), 2022; arXiv 1906.09712).
 */
import {
  betaBinomialMixture,
  boundaryAt,
  canReach,
  type UniformBoundary,
} from './uniform-boundaries.ts';

export type QuantileOptions = {
  /** Which quantile, strictly between 0 and 1. */
  readonly p: number;
  /** The sample size at which it is to be sharpest. */
  readonly tOpt: number;
  readonly alphaOpt: number;
};

export type Interval = { readonly lower: number; readonly upper: number };

/**
 * A confidence sequence for the p-quantile: holds at all sample sizes simultaneously with probability 1 - 2 * alpha (alpha on each
 * side). An end is infinite until the samples can bound it: while even a sample with every value on one side is too little
 * evidence, the extreme of the sample is no bound, however tempting.
 */
export function quantileInterval(
  values: readonly number[],
  alpha: number,
  options: QuantileOptions,
): Interval {
  const sorted = [...values].sort((a, b) => a - b);
  const t = sorted.length;
  const { p } = options;
  const above = quantileRadius(t, alpha, options);
  const below = quantileRadius(t, alpha, { ...options, p: 1 - p });
  const upper = above === undefined ? undefined : sorted[Math.ceil(t * p + above) - 1];
  const lower = below === undefined ? undefined : sorted[Math.floor(t * p - below)];
  return { lower: lower ?? Number.NEGATIVE_INFINITY, upper: upper ?? Number.POSITIVE_INFINITY };
}

/** How far above t * p the rank of the upper end lies; undefined while no sample of this size bounds the quantile. */
export function quantileRadius(
  t: number,
  alpha: number,
  options: QuantileOptions,
): number | undefined {
  if (t === 0) return undefined;
  const { p } = options;
  const boundary = mixtureAt(options);
  const v = p * (1 - p) * t;
  return canReach(boundary, v, alpha) ? boundaryAt(boundary, v, alpha) : undefined;
}

function mixtureAt({ p, tOpt, alphaOpt }: QuantileOptions): UniformBoundary {
  const tuning = { vOpt: p * (1 - p) * tOpt, alphaOpt };
  return betaBinomialMixture(tuning, { g: p, h: 1 - p }, 'two');
}
