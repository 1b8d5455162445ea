import type { MeanClaim, ValueCounts } from '../stats/bets.ts';
import type { ExposedShares, LinearClaim } from '../stats/linear-claim.ts';

/**
 * The logarithm of the e-value for "no worse" after so many more samples, if those turn out better than the present ones by as much
 * as chance brings about once in forty times (two standard errors of the difference between what was seen and what comes). More than
 * that is improbable, so a rollout that cannot prove its claim even so within its maximum may end: predictive power, as in trials
 * that stop for futility. It proves nothing, and nothing is promoted or rejected on it.
 */
export type Outlook = (more: number) => number;

/** Standard errors: at each look once in forty; of the rollouts that would have been proven, about one in twenty ends. */
const LUCK = 2;

/** Of values in the range of the claim whose mean is to be shown below a margin. */
export function outlookOfMean(
  counts: ValueCounts,
  claim: MeanClaim,
  logAfter: (counts: ValueCounts) => number,
): Outlook {
  const samples = sum(counts.map(([, count]) => count));
  const mean = sum(counts.map(([value, count]) => value * count)) / samples;
  const square = sum(counts.map(([value, count]) => value * value * count)) / samples;
  const above = sum(counts.map(([value, count]) => Math.max(0, value) * count)) / samples;
  const below = above - mean;
  return (more) => {
    const luck = luckOf(square - mean * mean, { samples, more });
    const [fewer, longer] = shifted(luck, { bad: above, good: below, claim });
    const times = more / samples;
    // Values above 0 give way to 0 first; what luck is left makes those below it more frequent.
    const later = counts.map(([value, count]): readonly [number, number] => [
      value,
      count * times * (value > 0 ? fewer : value < 0 ? longer : 1),
    ]);
    const missing = more - sum(later.map(([, count]) => count));
    return logAfter([...counts, ...later, [Math.max(0, claim.lower), Math.max(0, missing)]]);
  };
}

/** Of units of two arms at one known probability, and a claim that is linear in their rates. */
export function outlookOfClaim(
  seen: readonly ExposedShares[],
  { ratio, absolute }: LinearClaim,
  logAfter: (seen: readonly ExposedShares[]) => number,
): Outlook {
  const samples = sum(seen.map(({ candidate, reference }) => unitsOf([candidate, reference])));
  // Nothing speaks against what has not begun.
  if (samples === 0) return () => Number.POSITIVE_INFINITY;
  // What a unit adds to candidate - ratio x reference, by inverse probability.
  const parts = seen.flatMap(({ odds, candidate, reference }) => [
    ...candidate.map(([share, count]) => [share / odds, count] as const),
    ...reference.map(([share, count]) => [(-ratio * share) / (1 - odds), count] as const),
  ]);
  const bad = sum(parts.map(([value, count]) => Math.max(0, value) * count)) / samples;
  const good = sum(parts.map(([value, count]) => Math.max(0, -value) * count)) / samples;
  const square = sum(parts.map(([value, count]) => value * value * count)) / samples;
  return (more) => {
    const luck = luckOf(square - (bad - good) ** 2, { samples, more });
    const claim = { lower: -1, upper: 1, margin: absolute };
    const [fewer, longer] = shifted(luck, { bad, good, claim });
    const times = more / samples;
    const later = seen.map(({ odds, candidate, reference }) => ({
      odds,
      candidate: rarer(candidate, { times, by: fewer }),
      reference: rarer(reference, { times, by: longer }),
    }));
    return logAfter([...seen, ...later]);
  };
}

/**
 * The fewest samples more, up to `most`, after which an outlook reaches what is needed; undefined: none of them is enough.
 */
export function leastToGo(
  outlook: Outlook,
  { needed, most }: { readonly needed: number; readonly most: number },
): number | undefined {
  let last = 0;
  // More need not be better: a mean that is beyond its margin is proven by luck while few are to come, or never.
  for (let part = TRIED; part >= 0; part -= 1) {
    const more = Math.ceil(most / 2 ** (part / 2));
    if (more > last && outlook(more) >= needed) return firstBetween(outlook, needed, [last, more]);
    last = more;
  }
  return undefined;
}

/** Numbers of samples that are tried, each 1.4 times as many as the one before. */
const TRIED = 24;
const HALVINGS = 20;

function firstBetween(outlook: Outlook, needed: number, between: readonly [number, number]) {
  let [low, high] = between;
  for (let round = 0; round < HALVINGS && high - low > 1; round += 1) {
    const middle = Math.floor((low + high) / 2);
    if (outlook(middle) >= needed) high = middle;
    else low = middle;
  }
  return high;
}

function luckOf(
  variance: number,
  { samples, more }: { readonly samples: number; readonly more: number },
): number {
  return LUCK * Math.sqrt(Math.max(0, variance) * (1 / samples + 1 / more));
}

/** How many times as frequent bad and good values are with so much luck. */
function shifted(
  luck: number,
  { bad, good, claim }: { readonly bad: number; readonly good: number; readonly claim: MeanClaim },
): readonly [fewer: number, longer: number] {
  const left = Math.max(0, luck - bad);
  const fewer = bad === 0 ? 1 : Math.max(0, 1 - luck / bad);
  // No more of the good than there is room for.
  return [
    fewer,
    good === 0 || claim.lower >= 0 ? 1 : Math.min(1 + left / good, -claim.lower / good),
  ];
}

/** The units that come, of which so many times as many are bad. */
function rarer(
  shares: ValueCounts,
  { times, by }: { readonly times: number; readonly by: number },
): ValueCounts {
  const all = times * unitsOf([shares]);
  const bad = shares.flatMap(([share, count]) =>
    share > 0 ? [[share, count * times * by] as const] : [],
  );
  return [...bad, [0, Math.max(0, all - sum(bad.map(([, count]) => count)))]];
}

function unitsOf(arms: readonly ValueCounts[]): number {
  return sum(arms.flat().map(([, count]) => count));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
