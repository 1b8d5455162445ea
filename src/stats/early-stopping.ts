/**
 * How many requests show that a share of them, or more, is in time; and how many late ones they may have among them. MLPerf's
 * LoadGen decides so when a load has seen enough ("early stopping", with a tolerance of 0): a claim holds with n requests and
 * h late ones if so few would be late with probability 1 - confidence at most, were the true share just at the claim's edge.
 * Source: the appendix on early stopping of MLPerf's inference rules (https://github.com/mlcommons/inference_policies).
 *
 * It assumes that requests are late or not independently of one another, and one look at a number of requests that is fixed
 * beforehand. In a queue, late requests cluster: then n requests show less than n independent ones would, and a load that
 * is short compared with the clusters shows nothing of them.
 */
import { logRegularisedBeta } from './beta.ts';

/** That at least the share `quantile` of requests is in time; both strictly between 0 and 1. */
export type TailClaim = { readonly quantile: number; readonly confidence: number };

/** The fewest requests that show the claim although `late` of them are late. */
export function requestsNeeded(late: number, claim: TailClaim): number {
  const logError = checkedLogError(claim);
  const shows = (requests: number): boolean =>
    logProbabilityAtMost(late, requests, claim.quantile) <= logError;
  let most = late + 1;
  while (!shows(most)) most *= 2;
  return firstWhere(shows, late, most);
}

/** The most late requests with which `requests` still show the claim; undefined: even with none late they are too few. */
export function lateMost(requests: number, claim: TailClaim): number | undefined {
  const logError = checkedLogError(claim);
  const shows = (late: number): boolean =>
    logProbabilityAtMost(late, requests, claim.quantile) <= logError;
  if (!shows(0)) return undefined;
  return firstWhere((late) => !shows(late), 0, requests) - 1;
}

/** The fewest late requests that show that the claim is missed; undefined: even with all late, `requests` are too few. */
export function lateThatMisses(requests: number, claim: TailClaim): number | undefined {
  const logError = checkedLogError(claim);
  const { quantile } = claim;
  const misses = (late: number): boolean =>
    logProbabilityAtLeast(late, requests, quantile) <= logError;
  return misses(requests) ? firstWhere(misses, 0, requests) : undefined;
}

/** log P(X <= late) for X late ones of `requests`, each in time with probability `quantile`: DLMF 8.17.5. */
function logProbabilityAtMost(late: number, requests: number, quantile: number): number {
  return late >= requests ? 0 : logRegularisedBeta(requests - late, late + 1, quantile);
}

function logProbabilityAtLeast(late: number, requests: number, quantile: number): number {
  return late <= 0 ? 0 : logRegularisedBeta(late, requests - late + 1, 1 - quantile);
}

function checkedLogError({ quantile, confidence }: TailClaim): number {
  for (const [name, value] of Object.entries({ quantile, confidence })) {
    if (!(value > 0 && value < 1)) {
      throw new RangeError(`${name} must be more than 0 and less than 1, not ${value}`);
    }
  }
  return Math.log1p(-confidence);
}

/** The first whole number from which on a condition holds; it does at `most`, and not at `none`. */
function firstWhere(holds: (value: number) => boolean, none: number, most: number): number {
  let [low, high] = [none, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
