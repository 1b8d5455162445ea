import type { RolloutSpec } from '../core/rollout.ts';
import type { MetricName } from '../core/verdict.ts';

/** What the plan takes for granted; it is an expectation for a candidate that is just as good as stable. */
export type PlanAssumptions = {
  /** Part of the mirrored requests whose label arrives. */
  readonly labelledRatio: number;
  /** Part of the traffic that falls into a declared slice. */
  readonly sliceRatio: number;
  /** Part of the pairs on which candidate and stable differ in `disagreement` (beyond noise, either way). */
  readonly disagreementRate: number;
  /** Part of the labelled pairs that only one of the two gets right. */
  readonly discordantRate: number;
};

export const PLAN_ASSUMPTIONS: PlanAssumptions = {
  labelledRatio: 1,
  sliceRatio: 0.1,
  disagreementRate: 0.02,
  discordantRate: 0.1,
};

/**
 * Expected sample sizes of the e-processes, to first order: an e-value that grows by `g` (natural logarithm) a sample reaches
 * 1/alpha after (ln(1/alpha) + overhead) / g samples. What mixing over several bets costs is about 1 in the logarithm.
 */
const OVERHEAD = 1;

type Sampling = {
  readonly spec: Omit<RolloutSpec, 'salt'>;
  readonly assumptions: PlanAssumptions;
  /** Parts of the traffic that candidate and reference answer. */
  readonly shares: { readonly weight: number; readonly reference: number };
};

/**
 * Samples until a metric is proven no worse, if the candidate is as good as stable: pairs for what is measured in shadow,
 * requests of the candidate's arm for what is measured live. Infinity for what can only reject.
 */
export function samplesToProve(metric: MetricName, sampling: Sampling): number {
  const { spec, assumptions } = sampling;
  const { margins } = spec;
  const needed = OVERHEAD - Math.log(spec.errorBudget.falsePromotion);
  switch (metric) {
    case 'pairedErrors':
      return needed / growthOfPairs(margins.pairedErrors, 0);
    case 'labelledLoss':
      return needed / growthOfPairs(margins.labelledLoss, assumptions.discordantRate);
    case 'disagreement': {
      const rate = spec.expectedDisagreement?.rate;
      if (spec.intent === 'equivalent' || rate === undefined) {
        return needed / growthOfPairs(margins.disagreement, assumptions.disagreementRate);
      }
      return needed / divergence(rate, Math.min(1, rate + margins.disagreement));
    }
    case 'errors':
      // No failure on either side: half of the money grows by -ln(1 - absolute) a request.
      return (needed + Math.LN2) / -Math.log(1 - margins.errors.absolute);
    case 'slowRequests':
      return (needed + Math.LN2) / growthOfTail(sampling);
    case 'pairedLatency':
      return Number.POSITIVE_INFINITY;
  }
}

/**
 * Failures of the candidate until it is proven worse, if stable never fails: each falls on the candidate where the margin
 * gives it odds of only weight * ratio : reference, and so grows the e-value by ln(1 + reference / (weight * ratio)).
 */
export function failuresToReject(
  spec: Sampling['spec'],
  budgetShare: number,
  { weight, reference }: Sampling['shares'],
): number {
  const needed = OVERHEAD - Math.log(spec.errorBudget.falseRollback * budgetShare);
  return needed / Math.log(1 + reference / (weight * spec.margins.errors.ratio));
}

/**
 * Growth per pair of the best constant bet that the mean difference is below `margin`, when differences are -1 and 1 with
 * probability discordant/2 each and else 0: the maximum over b in [0, 1) of E ln(1 + b (margin - D)). Without discordant
 * pairs that is ln(1 + margin); with many, about margin^2 / (2 discordant).
 */
function growthOfPairs(margin: number, discordant: number): number {
  let best = 0;
  for (let step = 1; step < BETS; step += 1) {
    const bet = step / BETS;
    const same = (1 - discordant) * Math.log(1 + bet * margin);
    const differ = Math.log(1 + bet * (margin - 1)) + Math.log(1 + bet * (margin + 1));
    best = Math.max(best, same + (discordant / 2) * differ);
  }
  return best;
}

const BETS = 1000;

/** Growth per request of the candidate: slow requests per request of it, times the information in one about the two arms. */
function growthOfTail({ spec, shares: { weight, reference } }: Sampling): number {
  if (weight === 0 || reference === 0) return 0;
  const { quantile, ratio } = spec.margins.slowRequests;
  const even = weight / (weight + reference);
  const atMargin = (weight * ratio) / (weight * ratio + reference);
  return ((1 - quantile) / even) * divergence(even, atMargin);
}

/** Kullback-Leibler divergence of two coins, in natural units. */
function divergence(p: number, q: number): number {
  const term = (a: number, b: number): number => (a === 0 ? 0 : a * Math.log(a / b));
  return term(p, q) + term(1 - p, 1 - q);
}
