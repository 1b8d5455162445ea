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
};

/** A candidate that is exactly as good as stable. */
export function equalTruth(
  { margins, intent, expectedDisagreement }: Omit<RolloutSpec, 'salt'>,
  { errorRate, disagreementRate, discordantRate }: TruthAssumptions,
): Truth {
  const slow = 1 - margins.slowRequests.quantile;
  const isExpected = intent === 'improve' && expectedDisagreement !== undefined;
  const differs = isExpected ? expectedDisagreement.rate : disagreementRate / 2;
  return {
    errors: { candidate: errorRate, reference: errorRate },
    slow: { candidate: slow, reference: slow },
    loss: { lost: discordantRate / 2, won: discordantRate / 2 },
    disagreement: { candidate: differs, reference: differs },
    slower: 0,
  };
}
