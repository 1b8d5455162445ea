/**
 * Attempts at promoting the same weights over the same stable version share one budget of false promotions: or else a candidate
 * that is beyond a margin would be promoted if it is tried often enough. The budget of false rollbacks is not shared: harm is never
 * made harder to see.
 */
export type Attempt = {
  /** From 1, among those of the last `ATTEMPT_DAYS` days. */
  readonly number: number;
};

/** An attempt, and the probability of a false promotion that is left for it. */
export type AttemptShare = Attempt & { readonly falsePromotion: number };

/** How long an attempt counts for the next ones. */
export const ATTEMPT_DAYS = 30;

/** The part of the first: most candidates need no second. */
const FIRST_PART = 0.85;

const SUM_OF_SQUARES = Math.PI ** 2 / 6;

/**
 * The part of the budget that an attempt may use: 85 % for the first, 15 % x 6 / (pi^2 (k - 1)^2) for the k-th, which adds up to 1 over
 * all of them however many there will be. Undefined where attempts are not counted: all of it.
 */
export function attemptShare(
  attempt: Attempt | undefined,
  falsePromotion: number,
): AttemptShare | undefined {
  if (attempt === undefined) return undefined;
  const { number } = attempt;
  const before = number - 1;
  const part = before === 0 ? FIRST_PART : (1 - FIRST_PART) / (SUM_OF_SQUARES * before * before);
  return { number, falsePromotion: part * falsePromotion };
}
