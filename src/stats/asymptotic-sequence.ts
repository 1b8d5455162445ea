/**
 * Asymptotic confidence sequences: valid only in the limit, so for display next to a minimum sample size, never for rare
 * events and never in a verdict. Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory
 * and asymptotic confidence sequences" (arXiv 2103.06476), theorem 2.2; relative differences by the delta method.
 */

/** One arm: how many, their mean, and their variance. */
export type ArmMean = { readonly count: number; readonly mean: number; readonly variance: number };

export type RelativeDifference = {
  /** (treatment - control) / control. */
  readonly estimate: number;
  readonly standardError: number;
  readonly lower: number;
  readonly upper: number;
  readonly pValue: number;
};

/** Mean and sample variance from sums. */
export function armFromSums(sum: number, sumOfSquares: number, count: number): ArmMean {
  const mean = sum / count;
  return { count, mean, variance: (sumOfSquares - sum * mean) / (count - 1) };
}

/** A share of successes. */
export function armFromProportion(successes: number, count: number): ArmMean {
  const mean = successes / count;
  return { count, mean, variance: mean * (1 - mean) };
}

/** Relative difference of two means, sharpest at `tuning` units in both arms together. */
export function relativeDifference(
  treatment: ArmMean,
  control: ArmMean,
  options: { readonly alpha: number; readonly tuning: number },
): RelativeDifference {
  const estimate = (treatment.mean - control.mean) / control.mean;
  const square = control.mean ** 2;
  const variance =
    treatment.variance / (square * treatment.count) +
    (control.variance * treatment.mean ** 2) / (square * square * control.count);
  const n = treatment.count + control.count;
  const spread = n * tunedRho({ alpha: options.alpha, tuning: options.tuning }) ** 2;
  const standardError = Math.sqrt(variance);
  const width =
    standardError *
    Math.sqrt((2 * (spread + 1) * Math.log(Math.sqrt(spread + 1) / options.alpha)) / spread);
  const exponent = (estimate ** 2 / variance) * (spread / (2 * (spread + 1)));
  return {
    estimate,
    standardError,
    lower: estimate - width,
    upper: estimate + width,
    pValue: Math.min(1, Math.sqrt(spread + 1) * Math.exp(-exponent)),
  };
}

function tunedRho({ alpha, tuning }: { alpha: number; tuning: number }): number {
  const log = -2 * Math.log(alpha);
  return Math.sqrt((log + Math.log1p(log)) / tuning);
}
