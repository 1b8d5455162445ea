/**
 * The average effect of being given the candidate, for outcomes in a known range, under random assignment with a known
 * probability: a confidence sequence for the average over the units seen so far, with no model of the outcomes.
 *
 * Source: Howard and others (arXiv 1810.08240), corollary 2: inverse-probability-weighted differences, centred on predictions
 * from the past, under a gamma-exponential boundary on their accumulated squared error.
 */
import { boundaryAt, gammaExponentialMixture } from './uniform-boundaries.ts';

export type TreatedOutcome = { readonly outcome: number; readonly treated: boolean };

export type AverageEffectOptions = {
  /** The probability of treatment. */
  readonly propensity: number;
  readonly lower: number;
  readonly upper: number;
  /** The variance of outcomes that is expected, and the sample size to be sharpest at. They cost width only, if wrong. */
  readonly expectedVariance: number;
  readonly tOpt: number;
  readonly alpha: number;
  readonly alphaOpt: number;
};

export type AverageEffect = {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  /** For "the effect is not above zero", anytime. */
  readonly pValue: number;
};

/** The state after each unit, in their order. */
export function averageEffects(
  units: readonly TreatedOutcome[],
  options: AverageEffectOptions,
): readonly AverageEffect[] {
  const { propensity, lower, upper } = options;
  const width = upper - lower;
  const c = (2 * width) / Math.min(propensity, 1 - propensity);
  const vOpt = options.tOpt * options.expectedVariance * (1 / propensity + 1 / (1 - propensity));
  const boundary = gammaExponentialMixture({ vOpt, alphaOpt: options.alphaOpt / 2 }, c);
  const predict = { treated: runningMean(), control: runningMean() };
  let [sum, squares] = [0, 0];
  return units.map(({ outcome, treated }, index) => {
    // The past is empty only once; after that an arm without any unit is predicted to have no outcome.
    const first = index === 0 ? (lower + upper) / 2 : undefined;
    const [yes, no] = [first ?? predict.treated.value(), first ?? predict.control.value()];
    const weight = treated ? 1 / propensity : -1 / (1 - propensity);
    const effect = yes - no + weight * (outcome - (treated ? yes : no));
    sum += effect;
    squares += (effect - (yes - no)) ** 2;
    predict[treated ? 'treated' : 'control'].add(outcome);
    const n = index + 1;
    const radius = boundaryAt(boundary, squares, options.alpha / 2) / n;
    return {
      estimate: sum / n,
      lower: Math.max(-width, sum / n - radius),
      upper: Math.min(width, sum / n + radius),
      pValue: Math.min(1, Math.exp(-boundary.logMixture(sum, squares))),
    };
  });
}

function runningMean(): { value: () => number; add: (x: number) => void } {
  let [sum, count] = [0, 0];
  return {
    value: () => sum / Math.max(1, count),
    add: (x) => {
      sum += x;
      count += 1;
    },
  };
}
