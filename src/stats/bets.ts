/**
 * E1: one-sided tests of the mean of bounded values, as bets against the null hypothesis.
 *
 * Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (arXiv 2010.09686). For values X
 * in [lower, upper] and a margin m, the products
 *   harm: prod(1 + bet * (X - m)), 0 <= bet <= 1 / (m - lower), null "the mean given the past is at most m"
 *   safe: prod(1 - bet * (X - m)), 0 <= bet <= 1 / (upper - m), null "the mean given the past is at least m"
 * stay non-negative and do not grow on average under their null. All bets here are constant and set by the range and the
 * margin alone, never by the data, so the evidence depends on counts only: not on order, and counts from many places add.
 */
import { countLog } from './log-sum-exp.ts';
import { evenMixture, type Mixture } from './mixture.ts';

/** How often each value was seen. A value is listed once; the order does not matter. */
export type ValueCounts = readonly (readonly [value: number, count: number])[];

/** The range that values are declared to stay in, and the mean that is the margin, strictly inside it. */
export type MeanClaim = { readonly lower: number; readonly upper: number; readonly margin: number };

/**
 * Bets as parts of the greatest one that cannot lose more than there is, each with its shares of the money: when the mean is to be
 * shown above the margin, below it, below it by labels, where answers that never differ take few, and below it by labels that are drawn,
 * where answers that never differ take none.
 */
type Bets = readonly (readonly [
  part: number,
  harm: number,
  safe: number,
  labels: number,
  drawn: number,
])[];

/**
 * The best bet is about (mean - margin) / variance, so it differs from truth to truth. Most of the money is where it is dearest to
 * have little: on values that are never above 0 (answers that never differ, failures that never come), whose best bet is the
 * greatest, and on differences in 2 to 20 % of the values beside a margin of 1 or 2 %, whose best bets are 0.1 to 0.4 of it.
 */
const BETS: Bets = [
  [0.02, 0.04, 0.04, 0.04, 0.02],
  [0.05, 0.11, 0.1, 0.12, 0.1],
  [0.1, 0.11, 0.14, 0.19, 0.22],
  [0.2, 0.19, 0.14, 0.2, 0.25],
  [0.4, 0.17, 0.24, 0.27, 0.27],
  [0.98, 0.38, 0.34, 0.18, 0.14],
];

/** The bets of the first rules, with equal shares. */
const FIRST_PARTS = [0.01, 0.03, 0.1, 0.3, 0.6, 0.95];

/** Whose bets: those of the first rules, the present ones, or the present ones for labels, or for labels that are drawn. */
export type BetRules = 'first' | 'present' | 'labels' | 'drawn';

/** Each is less than a third off the best for some distance between 1 % and all of the mean square. */
const SUPERIOR_PARTS = [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 0.95];

/** Rates that the alternatives claim, as multiples of the rate under test. */
export const HARM_MULTIPLES = [1.25, 1.5, 2, 3, 5, 10, 30];
const SAFE_MULTIPLES = [0, 0.1, 0.25, 0.5, 0.75, 0.9];

/** Shares of slower pairs that the alternatives claim when the null is one half. */
const HALF_ALTERNATIVES = [0.55, 0.6, 0.7, 0.8, 0.9, 0.97];

/** Below this margin (as a part of the range) values above it are rare, and only small bets on them pay. */
const RARE = 0.1;

/** Evidence that the mean is above the margin. */
export function harmOfMean(
  counts: ValueCounts,
  claim: MeanClaim,
  rules: BetRules = 'present',
): Mixture {
  const margin = checkedClaim(claim);
  const rare = (margin - claim.lower) / (claim.upper - claim.lower);
  const greatest = 1 / (margin - claim.lower);
  const sorted = inOrder(counts);
  const wealth = (part: number): number => logWealth(sorted, margin, part * greatest);
  if (rare < RARE) {
    // The bets that are best for 0/1 data at each multiple of the margin.
    const times = HARM_MULTIPLES.filter((multiple) => multiple * rare < 1);
    return evenMixture(times.map((multiple) => wealth(((multiple - 1) * rare) / (1 - rare))));
  }
  if (rules === 'first') return evenMixture(FIRST_PARTS.map(wealth));
  return BETS.map(([part, share]) => ({ logWeight: Math.log(share), logWealth: wealth(part) }));
}

/** Evidence that the mean is below the margin. */
export function safeOfMean(
  counts: ValueCounts,
  claim: MeanClaim,
  rules: BetRules = 'present',
): Mixture {
  const margin = checkedClaim(claim);
  const greatest = 1 / (claim.upper - margin);
  const sorted = inOrder(counts);
  const wealth = (part: number): number => logWealth(sorted, margin, -part * greatest);
  if (rules === 'first') return evenMixture(FIRST_PARTS.map(wealth));
  return BETS.map(([part, , present, labels, drawn]) => ({
    logWeight: Math.log({ present, labels, drawn }[rules]),
    logWealth: wealth(part),
  }));
}

/**
 * Evidence that the mean is below 0, of values up to `upper`. Against a margin the distance is known and its bets fit it; how much better
 * a candidate is is not, so these fit distances of any size: the best bet is the mean over the mean square of the values.
 */
export function superiorOfMean(counts: ValueCounts, upper = 1): Mixture {
  const sorted = inOrder(counts);
  return evenMixture(SUPERIOR_PARTS.map((part) => logWealth(sorted, 0, -part / upper)));
}

/** Evidence that 0/1 events come at more than `rate`, by likelihood ratios. `rate` is strictly between 0 and 1. */
export function harmOfRate(events: number, samples: number, rate: number): Mixture {
  const alternatives = HARM_MULTIPLES.map((times) => times * rate).filter((q) => q < 1);
  return ratios(events, samples, { rate, alternatives });
}

/** Evidence that 0/1 events come at less than `rate`, by likelihood ratios. `rate` is strictly between 0 and 1. */
export function safeOfRate(events: number, samples: number, rate: number): Mixture {
  const alternatives = SAFE_MULTIPLES.map((times) => times * rate);
  return ratios(events, samples, { rate, alternatives });
}

/** Evidence that 0/1 events come in more than half of the samples. */
export function harmOfHalf(events: number, samples: number): Mixture {
  return ratios(events, samples, { rate: 0.5, alternatives: HALF_ALTERNATIVES });
}

function ratios(
  events: number,
  samples: number,
  claim: { readonly rate: number; readonly alternatives: readonly number[] },
): Mixture {
  const { rate, alternatives } = claim;
  if (!(rate > 0 && rate < 1)) throw new RangeError(`rate must be between 0 and 1, not ${rate}`);
  // A rate close to 1 leaves no alternative above it: then there is one bet that never moves, which proves nothing.
  if (alternatives.length === 0) return evenMixture([0]);
  return evenMixture(
    alternatives.map(
      (q) => countLog(events, q / rate) + countLog(samples - events, (1 - q) / (1 - rate)),
    ),
  );
}

/** Floating-point sums depend on their order; a fixed one makes equal evidence give equal bits. */
function inOrder(counts: ValueCounts): ValueCounts {
  const ascend = counts.every(([value], i) => i === 0 || value >= counts[i - 1]![0]);
  return ascend ? counts : [...counts].sort(([a], [b]) => a - b);
}

function logWealth(counts: ValueCounts, margin: number, bet: number): number {
  let sum = 0;
  for (const [value, count] of counts) sum += countLog(count, 1 + bet * (value - margin));
  return sum;
}

function checkedClaim({ lower, upper, margin }: MeanClaim): number {
  if (!(margin > lower && margin < upper)) {
    throw new RangeError(`margin must be between ${lower} and ${upper}, not ${margin}`);
  }
  return margin;
}
