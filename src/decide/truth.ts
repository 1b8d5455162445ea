import type { RolloutSpec } from '../core/rollout.ts';

/** Rates of the two versions. */
export type Rates = { readonly candidate: number; readonly reference: number };

/** What two versions are like in truth, as rates: what a plan takes for granted. */
export type Truth = {
  /** Failed requests. */
  readonly errors: Rates;
  /** Requests slower than the reference's past quantile. */
  readonly slow: Rates;
  /** Labelled pairs that only the candidate gets wrong, and only stable. */
  readonly loss: { readonly lost: number; readonly won: number };
  /** The same of the candidate and the anchor. */
  readonly anchorLoss: { readonly lost: number; readonly won: number };
  /** Labelled answers that stable gets wrong. */
  readonly wrong: number;
  /** Pairs on which the candidate differs from stable, and on which stable differs from itself. */
  readonly disagreement: Rates;
  /** Twinned pairs in which the candidate is slower than its margin allows. */
  readonly slower: number;
};

/** What is said of a pair of versions for a plan to be made. */
export type TruthAssumptions = {
  /** Part of the requests that stable fails. */
  readonly errorRate: number;
  /** Part of the pairs on which candidate and stable differ in `disagreement`, beyond noise, either way. */
  readonly disagreementRate: number;
  /** Part of the labelled pairs that only one of the two gets right. */
  readonly discordantRate: number;
  /** Part of the labelled answers that stable gets wrong. */
  readonly wrongRate: number;
};

/**
 * A candidate that is exactly as good as stable; one that is claimed to be better has a loss that is lower by the margin, which is as
 * much as it might be higher by. Against the anchor, what is measured as used of the allowed loss is taken for true.
 */
export function equalTruth(
  spec: Omit<RolloutSpec, 'salt'>,
  { errorRate, disagreementRate, discordantRate, wrongRate }: TruthAssumptions,
): Truth {
  const { margins, intent, expectedDisagreement } = spec;
  const improvement = improvementOf(spec) ?? 0;
  const slow = 1 - margins.slowRequests.quantile;
  const isExpected = intent === 'improve' && expectedDisagreement !== undefined;
  const differs = isExpected ? expectedDisagreement.rate : disagreementRate / 2;
  return {
    errors: { candidate: errorRate, reference: errorRate },
    slow: { candidate: slow, reference: slow },
    loss: lossOf(discordantRate, improvement),
    anchorLoss: lossOf(discordantRate, improvement - (spec.anchor?.spent.loss ?? 0)),
    wrong: wrongRate,
    disagreement: { candidate: differs, reference: differs },
    slower: 0,
  };
}

/** By how much less often the candidate is taken to be wrong, where it is claimed to be better; undefined: that is not claimed. */
export function improvementOf({
  claim,
  margins,
}: Pick<RolloutSpec, 'claim' | 'margins'>): number | undefined {
  return claim === 'superior' ? margins.labelledLoss : undefined;
}

/** Of labelled pairs of which so many are right on one side only, where the candidate is wrong less often by `improvement`; below 0: more often. */
export function lossOf(discordantRate: number, improvement: number): Truth['loss'] {
  const rate = Math.max(discordantRate, Math.abs(improvement));
  return { lost: (rate - improvement) / 2, won: (rate + improvement) / 2 };
}

/** Parts of the labelled answers that each version gets wrong. */
export function wrongRates({ loss: { lost, won }, wrong }: Pick<Truth, 'loss' | 'wrong'>): Rates {
  return { candidate: Math.min(1, Math.max(0, wrong + lost - won)), reference: wrong };
}
