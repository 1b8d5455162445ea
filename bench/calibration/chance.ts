import type { Random } from '../../src/core/random.ts';

/** True with this probability. */
export function happens(random: Random, probability: number): boolean {
  return random.unit() < probability;
}

/** A waiting time without memory. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random.unit()) * mean;
}

/** Standard normal, by Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
}

/** A latency: its logarithm is normal with this deviation around the median. */
export function lognormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random));
}

/** A place among `weights`, each with its share of the sum. */
export function pick(random: Random, weights: readonly number[]): number {
  let left = random.unit() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return at;
  }
  return weights.length - 1;
}

/**
 * Noise that remembers itself: an Ornstein-Uhlenbeck process of deviation 1, read at moments that never go back. After `memoryMs`
 * a third of it is left.
 */
export function wandering(random: Random, memoryMs: number): (nowMs: number) => number {
  let value = normal(random);
  let atMs = 0;
  return (nowMs) => {
    const kept = Math.exp(-Math.max(0, nowMs - atMs) / memoryMs);
    value = kept * value + Math.sqrt(1 - kept * kept) * normal(random);
    atMs = nowMs;
    return value;
  };
}

/** Spells that come without memory: how long the present one still lasts, in milliseconds; 0: there is none. Moments never go back. */
export function spells(
  random: Random,
  { everyMs, lastMs }: { readonly everyMs: number; readonly lastMs: number },
): (nowMs: number) => number {
  let beginsMs = exponential(random, everyMs);
  return (nowMs) => {
    while (nowMs >= beginsMs + lastMs) beginsMs += lastMs + exponential(random, everyMs);
    return nowMs >= beginsMs ? beginsMs + lastMs - nowMs : 0;
  };
}
