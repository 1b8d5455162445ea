import type { Random } from '../core/random.ts';

/**
 * When requests are meant to start. Open-loop kinds never wait for an answer, so a stall of the server is seen by every
 * request that should have started during it; `closed` waits for each answer and is for finding a rough capacity only.
 */
export type Arrivals =
  | { readonly kind: 'constant'; readonly perSecond: number }
  | { readonly kind: 'poisson'; readonly perSecond: number }
  | { readonly kind: 'closed'; readonly concurrency: number };

/** Returns the gaps between the intended starts of an open-loop load, in milliseconds, one after another. */
export function gapsOf(
  arrivals: Exclude<Arrivals, { kind: 'closed' }>,
  random: Random,
): () => number {
  const meanMs = 1000 / arrivals.perSecond;
  if (arrivals.kind === 'constant') return () => meanMs;
  // The inverse of the exponential distribution; 1 - u lies in (0, 1], so the logarithm is finite.
  return () => -Math.log(1 - random.unit()) * meanMs;
}
