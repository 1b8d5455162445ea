import { logRegularisedBeta } from './beta.ts';
import { findRoot } from './find-root.ts';

/** An interval that holds the true value with the confidence asked for, around the best guess. */
export type Estimate = {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
};

/**
 * The quantile of Student's t distribution: the value that is exceeded with probability 1 - `probability`. Found from the
 * tail P(|T| > t) = I_x(degrees / 2, 1 / 2) with x = degrees / (degrees + t^2) (DLMF 8.17; NIST/SEMATECH e-Handbook 1.3.6.7.2
 * has the table).
 */
export function studentQuantile(probability: number, degrees: number): number {
  if (!(probability > 0 && probability < 1) || !(degrees > 0)) {
    throw new RangeError(`studentQuantile knows no ${probability} with ${degrees} degrees`);
  }
  if (probability < 0.5) return -studentQuantile(1 - probability, degrees);
  if (probability === 0.5) return 0;
  const logTail = Math.log(2) + Math.log1p(-probability);
  const excess = (t: number): number =>
    logRegularisedBeta(degrees / 2, 0.5, degrees / (degrees + t * t)) - logTail;
  let most = 1;
  while (excess(most) > 0) most *= 2;
  return findRoot(excess, 0, most);
}

/**
 * The geometric mean of ratios with Student's interval of their logarithms: a ratio and its inverse are alike far from 1, and
 * the choice of what is divided by what does not change a finding. Assumes that the logarithms are independent and about
 * normal. Sources: Fleming and Wallace, "How not to lie with statistics: the correct way to summarize benchmark results"
 * (Communications of the ACM 29(3), 1986); NIST/SEMATECH e-Handbook 1.3.5.2 for the interval. Throws a RangeError for fewer
 * than two ratios, or one that is not a finite number above 0.
 */
export function ratioInterval(ratios: readonly number[], confidence: number): Estimate {
  if (ratios.length < 2) throw new RangeError(`an interval needs two ratios, not ${ratios.length}`);
  const wrong = ratios.find((ratio) => !(ratio > 0 && Number.isFinite(ratio)));
  if (wrong !== undefined) throw new RangeError(`a ratio must be above 0 and finite, not ${wrong}`);
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const squares = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0);
  const standardError = Math.sqrt(squares / (logs.length - 1) / logs.length);
  const reach = studentQuantile((1 + confidence) / 2, logs.length - 1) * standardError;
  return {
    estimate: Math.exp(mean),
    lower: Math.exp(mean - reach),
    upper: Math.exp(mean + reach),
  };
}
