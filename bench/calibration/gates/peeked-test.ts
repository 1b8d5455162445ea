import type { ArmInterval, Gate } from './gate.ts';

const MINUTES = 30;
const SHARE = 0.1;
/** Two-sided 5 %, looked at every minute as if each look were the only one. */
const Z = 1.959963984540054;

type Moments = { count: number; sum: number; squares: number };
type Sums = { readonly failed: Moments; readonly latency: Moments; readonly wrong: Moments };

/**
 * What is written in an afternoon: z-tests of failures and of labels and a t-test of latency between the arms, every minute, over all
 * that has been seen. Significant and worse rolls back; not so for half an hour promotes.
 * Source: any textbook for the tests (NIST/SEMATECH e-Handbook 7.3.1 and 7.3.3); none for looking every minute.
 */
export const peekedTest: Gate = {
  name: 'peeked test',
  everyMs: 60_000,
  begin: () => {
    let minutes = 0;
    const [candidate, reference] = [sums(), sums()];
    return {
      weights: () => ({ candidate: SHARE, baseline: 0 }),
      judge: (interval) => {
        minutes += 1;
        add(candidate, interval.candidate);
        add(reference, interval.reference);
        const isWorse = (['failed', 'latency', 'wrong'] as const).some(
          (metric) => statistic(candidate[metric], reference[metric]) > Z,
        );
        if (isWorse) return 'rollBack';
        return minutes >= MINUTES ? 'promote' : 'goOn';
      },
    };
  },
};

function sums(): Sums {
  const none = (): Moments => ({ count: 0, sum: 0, squares: 0 });
  return { failed: none(), latency: none(), wrong: none() };
}

function add({ failed, latency, wrong }: Sums, interval: ArmInterval): void {
  addCoins(failed, interval.failures, interval.requests);
  addCoins(wrong, interval.labels.wrong, interval.labels.known);
  for (const tookMs of interval.latencies) {
    latency.count += 1;
    latency.sum += tookMs;
    latency.squares += tookMs * tookMs;
  }
}

function addCoins(moments: Moments, heads: number, count: number): void {
  moments.count += count;
  moments.sum += heads;
  moments.squares += heads;
}

/** Welch's statistic; 0 where an arm has too little to tell. */
function statistic(mine: Moments, theirs: Moments): number {
  if (mine.count < 2 || theirs.count < 2) return 0;
  const difference = mine.sum / mine.count - theirs.sum / theirs.count;
  const deviation = Math.sqrt(variance(mine) / mine.count + variance(theirs) / theirs.count);
  if (difference <= 0) return 0;
  return deviation > 0 ? difference / deviation : Number.POSITIVE_INFINITY;
}

function variance({ count, sum, squares }: Moments): number {
  return Math.max(0, (squares - (sum * sum) / count) / (count - 1));
}
