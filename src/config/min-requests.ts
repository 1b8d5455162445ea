/** The standard normal quantile of 90 % power. */
const POWER_Z = 1.2815515655446004;

/** How many metrics share the budget of false rollbacks at most, and how many alternatives one e-process mixes. */
const METRICS_MAX = 6;
const ALTERNATIVES = 7;

/** The error rate that must be found: this many times the reference's. */
const FOLD = 5;

/** The least base rate that requests are counted for: a fivefold rate below it may take longer to find than one step. */
const BASE_RATE_MIN = 0.005;

/**
 * How many requests the candidate's arm needs so that an error rate five times the reference's is proven worse with 90 %
 * power, next to a reference of the same weight.
 *
 * Each error falls on the candidate with probability p1 = 5 / (5 + 1) if its rate is fivefold, and p0 = r / (r + 1) at the
 * margin r. Its log-likelihood ratio has mean mu = KL(p1 || p0) and deviation s = sqrt(p1 (1 - p1)) * |logit p1 - logit p0|. The
 * sum over N errors passes L = ln(6 / falseRollback) + ln 7 (the metric's share of the budget, and what mixing over seven
 * alternatives can cost) with 90 % power once N mu - z s sqrt(N) = L; of these N errors N p1 are the candidate's, one in
 * 1 / (5 baseRate) of its requests. Normal approximation; a simulation in the tests confirms the power.
 *
 * @param margin how many times the reference's error rate is acceptable; from 4 on a fivefold rate cannot be distinguished from it
 *   in any practical time, and the figure for 4 is given.
 * @param baseRate the reference's error rate, in (0, 0.2]; taken as 0.005 at least.
 */
export function minRequestsFor(margin: number, baseRate: number, falseRollback: number): number {
  const p0 = oddsToShare(Math.min(margin, FOLD - 1));
  const p1 = oddsToShare(FOLD);
  const mean = p1 * Math.log(p1 / p0) + (1 - p1) * Math.log((1 - p1) / (1 - p0));
  const deviation = Math.sqrt(p1 * (1 - p1)) * Math.abs(logit(p1) - logit(p0));
  const needed = Math.log(METRICS_MAX / falseRollback) + Math.log(ALTERNATIVES);
  const drift = POWER_Z * deviation;
  const root = (drift + Math.sqrt(drift * drift + 4 * mean * needed)) / (2 * mean);
  return Math.ceil((root * root * p1) / Math.min(1, FOLD * Math.max(baseRate, BASE_RATE_MIN)));
}

function oddsToShare(odds: number): number {
  return odds / (odds + 1);
}

function logit(share: number): number {
  return Math.log(share / (1 - share));
}
