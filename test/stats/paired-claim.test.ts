/**
 * The claim on pairs: every step of every bet is fair exactly at the claim's edge and gains nothing on the null side, however the two
 * versions' failures depend on each other; and it needs few pairs beside what a test needs that knows both rates.
 */
import fc from 'fast-check';
import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import type { LinearClaim } from '../../src/stats/linear-claim.ts';
import { logEvidence, type Mixture } from '../../src/stats/mixture.ts';
import { harmOfPairs, type PairedShares, safeOfPairs } from '../../src/stats/paired-claim.ts';

type Test = (seen: PairedShares, claim: LinearClaim) => Mixture;

const inside = fc.double({ min: 0.001, max: 0.999, noNaN: true });
const claims: fc.Arbitrary<LinearClaim> = fc.record({
  ratio: fc.double({ min: 0.5, max: 20, noNaN: true }),
  absolute: fc.double({ min: 0.0001, max: 0.9, noNaN: true }),
});

/** What becomes of each bet on average. `together`: from never both (0) to as often as can be (1). */
function meanWealths(
  test: Test,
  claim: LinearClaim,
  { candidate, reference, together }: { candidate: number; reference: number; together: number },
): readonly number[] {
  const [least, most] = [Math.max(0, candidate + reference - 1), Math.min(candidate, reference)];
  const both = least + together * (most - least);
  const outcomes = [
    [0, 0, 1 - candidate - reference + both],
    [1, 0, candidate - both],
    [0, 1, reference - both],
    [1, 1, both],
  ] as const;
  const sums: number[] = [];
  for (const [mine, other, p] of outcomes) {
    for (const [at, { logWealth }] of test([[mine, other, 1]], claim).entries()) {
      sums[at] = (sums[at] ?? 0) + p * Math.exp(logWealth);
    }
  }
  return sums;
}

t.test('every bet is fair at the edge of the claim, and gains nothing in its null', async (t) => {
  fc.assert(
    fc.property(
      fc.record({ claim: claims, base: inside, together: inside, off: inside }),
      ({ claim, base, together, off }) => {
        const reference = base * Math.min(1, (1 - claim.absolute) / claim.ratio);
        const limit = claim.ratio * reference + claim.absolute;
        const world = (candidate: number) => ({ candidate, reference, together });
        const fair = [harmOfPairs, safeOfPairs].flatMap((test) =>
          meanWealths(test, claim, world(limit)),
        );
        const harm = meanWealths(harmOfPairs, claim, world(limit * off));
        const safe = meanWealths(safeOfPairs, claim, world(limit + off * (1 - limit)));
        return (
          fair.every((mean) => Math.abs(mean - 1) < 1e-6) &&
          [...harm, ...safe].every((mean) => mean <= 1 + 1e-6)
        );
      },
    ),
    { numRuns: 200 },
  );
  t.pass();
});

t.test('counts add: neither order nor grouping matters', async (t) => {
  const claim = { ratio: 2, absolute: 0.002 };
  const share = fc.integer({ min: 0, max: 20 }).map((bad) => bad / 20);
  fc.assert(
    fc.property(fc.array(fc.tuple(share, share), { maxLength: 30 }), (list) => {
      const seen = list.map(([mine, other]) => [mine, other, 1] as const);
      return [harmOfPairs, safeOfPairs].every(
        (test) => logEvidence(test(seen, claim)) === logEvidence(test([...seen].reverse(), claim)),
      );
    }),
  );
  t.pass();
});

t.test('claims and shares that mean nothing are refused', async (t) => {
  t.throws(() => harmOfPairs([[0, 0, 1]], { ratio: 0, absolute: 0.01 }), RangeError);
  t.throws(() => safeOfPairs([[0, 0, 1]], { ratio: 2, absolute: 0 }), RangeError);
  t.throws(() => safeOfPairs([[0, 0, 1]], { ratio: 2, absolute: 1 }), RangeError);
  t.throws(() => safeOfPairs([[1.5, 0, 1]], { ratio: 2, absolute: 0.1 }), RangeError);
});

const CLAIM: LinearClaim = { ratio: 2, absolute: 0.002 };
const RUNS = 60;

type Truth = { readonly reference: number; readonly candidate: number; readonly alpha: number };

/** Pairs that an e-process needs on average, beside log(1 / alpha) over the growth of the best constant bet. */
function meanOverLimit({ reference, candidate, alpha }: Truth, seed: number): number {
  const isHarm = candidate > CLAIM.ratio * reference + CLAIM.absolute;
  const test = isHarm ? harmOfPairs : safeOfPairs;
  const growths = [0, 1, 2, 3].map((kind) =>
    test([[kind & 1, kind >> 1, 1]], CLAIM).map(({ logWealth }) => Math.exp(logWealth)),
  );
  const weights = test([], CLAIM).map(({ logWeight }) => Math.exp(logWeight));
  let sum = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const random = seededRandom(seed + run);
    const wealth = [...weights];
    for (let total = 1; total < 1 / alpha; sum += 1) {
      const [mine, other] = [random.unit() < candidate, random.unit() < reference];
      const growth = growths[Number(mine) + 2 * Number(other)] ?? [];
      total = 0;
      for (let at = 0; at < wealth.length; at += 1) {
        wealth[at] = (wealth[at] ?? 0) * (growth[at] ?? 0);
        total += wealth[at] ?? 0;
      }
    }
  }
  return (sum / RUNS) * (bestGrowth({ reference, candidate, alpha }) / Math.log(1 / alpha));
}

/** By brute force over the bets. */
function bestGrowth({ reference, candidate }: Truth): number {
  const { ratio, absolute } = CLAIM;
  let best = 0;
  for (let step = -99_999; step < 100_000; step += 1) {
    const bet = step < 0 ? step / 100_000 / (1 - absolute) : step / 100_000 / (ratio + absolute);
    const grown = [0, 1, 2, 3].reduce((sum, kind) => {
      const [mine, other] = [kind & 1, kind >> 1];
      const p = (mine ? candidate : 1 - candidate) * (other ? reference : 1 - reference);
      return p === 0 ? sum : sum + p * Math.log(1 + bet * (mine - ratio * other - absolute));
    }, 0);
    best = Math.max(best, grown);
  }
  return best;
}

t.test('the proof takes at most 1.5 times what a test needs that knows both rates', async (t) => {
  const truths = [
    [0, 0],
    [0.001, 0.001],
    [0.005, 0.005],
    [0.01, 0.01],
    [0, 0.004],
    [0, 0.02],
    [0.005, 0.025],
  ] as const;
  for (const [at, [reference, candidate]] of truths.entries()) {
    const alpha = candidate > 2 * reference + 0.002 ? 0.01 : 0.05;
    const ratio = meanOverLimit({ reference, candidate, alpha }, 1_000 * at);
    t.ok(ratio <= 1.5, `${reference} against ${candidate}: ${ratio.toFixed(2)} times`);
  }
});
