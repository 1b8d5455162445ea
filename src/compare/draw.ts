import { DRAW_PROBABILITY_MIN, type LabelQueuePlan } from '../core/drawn-loss.ts';
import { saltedHash } from '../core/hash.ts';

/** The draw of one pair, fixed before its label is known. */
export type Draw = {
  /** One over the probability: 1, 2, 4 and so on. */
  readonly inverse: number;
  /** The coin came up: its label is wanted. */
  readonly isWanted: boolean;
};

/**
 * Draws a pair for the label queue: with a probability that is a power of two, at least `probability` times the largest difference that
 * its two answers allow, and at least `minProbability`. The coin is a hash of the request under the rollout's salt, so it depends on
 * nothing that the request's sender knows, and is the same after a restart.
 *
 * @param most the largest difference of loss, in (0, 1].
 */
export function drawOf(
  most: number,
  {
    queue,
    salt,
    requestId,
  }: { readonly queue: LabelQueuePlan; readonly salt: string; readonly requestId: string },
): Draw {
  const inverse = inverseOf(most, queue);
  const word = Number.parseInt(saltedHash(`${salt}:label queue`, requestId).slice(0, 12), 16);
  return { inverse, isWanted: (word / 2 ** 48) * inverse < 1 };
}

/** Halved for as long as it stays enough. */
export function inverseOf(most: number, { probability, minProbability }: LabelQueuePlan): number {
  const least = Math.max(minProbability, probability * most, DRAW_PROBABILITY_MIN);
  let inverse = 1;
  while (1 / (2 * inverse) >= least) inverse *= 2;
  return inverse;
}
