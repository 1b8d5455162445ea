/**
 * The linear claim: every step of every bet is fair exactly at the claim's edge and gains nothing on the null side, for all odds,
 * claims and laws of a unit's share; and sequences of units are taken through all of their outcomes, with rates that drift.
 */
import fc from 'fast-check';
import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import {
  alikeOfClaim,
  type ExposedShares,
  harmOfClaim,
  type LinearClaim,
  safeOfClaim,
} from '../../src/stats/linear-claim.ts';
import { logEvidence, type Mixture } from '../../src/stats/mixture.ts';

type Test = (seen: readonly ExposedShares[], claim: LinearClaim) => Mixture;

const TESTS: readonly Test[] = [harmOfClaim, safeOfClaim, alikeOfClaim];

const inside = fc.double({ min: 0.001, max: 0.999, noNaN: true });
const claims: fc.Arbitrary<LinearClaim> = fc.record({
  ratio: fc.double({ min: 0.5, max: 20, noNaN: true }),
  absolute: fc.double({ min: 0.0001, max: 0.9, noNaN: true }),
});

function unit(odds: number, isCandidate: boolean, share: number): ExposedShares {
  const one = [[share, 1]] as const;
  return { odds, candidate: isCandidate ? one : [], reference: isCandidate ? [] : one };
}

/** The greatest factor-wise departure from a mean of 1 is that of single bets, so each bet is looked at, not their mixture. */
function meanWealths(
  test: Test,
  claim: LinearClaim,
  world: { odds: number; candidate: Law; reference: Law },
): readonly number[] {
  const { odds, candidate, reference } = world;
  const outcomes = [
    ...candidate.map(([share, p]) => [unit(odds, true, share), odds * p] as const),
    ...reference.map(([share, p]) => [unit(odds, false, share), (1 - odds) * p] as const),
  ];
  const sums: number[] = [];
  for (const [seen, p] of outcomes) {
    for (const [index, { logWealth }] of test([seen], claim).entries()) {
      sums[index] = (sums[index] ?? 0) + p * Math.exp(logWealth);
    }
  }
  return sums;
}

type Law = readonly (readonly [share: number, p: number])[];

/** A law of shares on two values with this mean; any law is a mixture of such. */
function lawOf(mean: number, low: number, high: number): Law {
  const [a, b] = [low * mean, mean + high * (1 - mean)];
  const p = (mean - a) / (b - a);
  return [
    [a, 1 - p],
    [b, p],
  ];
}

t.test(
  'every bet is fair at the edge of the claim, and gains nothing within its null',
  async (t) => {
    fc.assert(
      fc.property(
        fc.record({
          claim: claims,
          odds: inside,
          base: inside,
          low: inside,
          high: inside,
          off: inside,
        }),
        ({ claim, odds, base, low, high, off }) => {
          const reference = base * Math.min(1, (1 - claim.absolute) / claim.ratio);
          const limit = claim.ratio * reference + claim.absolute;
          const world = (candidate: number) => ({
            odds,
            candidate: lawOf(candidate, low, high),
            reference: lawOf(reference, high, low),
          });
          const edge = world(limit);
          const fair = TESTS.flatMap((test) => meanWealths(test, claim, edge));
          const harm = meanWealths(harmOfClaim, claim, world(limit * off));
          const beyond = world(limit + off * (1 - limit));
          const safe = [safeOfClaim, alikeOfClaim].flatMap((test) =>
            meanWealths(test, claim, beyond),
          );
          return (
            fair.every((mean) => Math.abs(mean - 1) < 1e-6) &&
            [...harm, ...safe].every((mean) => mean <= 1 + 1e-6)
          );
        },
      ),
      { numRuns: 200 },
    );
    t.pass();
  },
);

t.test(
  'through all outcomes of units whose rates drift along the edge the mean is 1',
  async (t) => {
    const claim = { ratio: 2, absolute: 0.05 };
    const moments = [
      { odds: 0.5, reference: 0.3 },
      { odds: 0.05, reference: 0 },
      { odds: 0.25, reference: 0.01 },
      { odds: 0.5, reference: 0.4 },
    ];
    for (const test of TESTS) {
      let mean = 0;
      for (let outcome = 0; outcome < 4 ** moments.length; outcome += 1) {
        let p = 1;
        const seen = moments.map(({ odds, reference }, at) => {
          const [isCandidate, isBad] = [(outcome >> (2 * at)) & 1, (outcome >> (2 * at + 1)) & 1];
          const rate = isCandidate ? claim.ratio * reference + claim.absolute : reference;
          p *= (isCandidate ? odds : 1 - odds) * (isBad ? rate : 1 - rate);
          return unit(odds, isCandidate === 1, isBad);
        });
        mean += p * Math.exp(logEvidence(test(seen, claim)));
      }
      t.ok(Math.abs(mean - 1) < 1e-9, `mean ${mean}`);
    }
  },
);

t.test('a split that is not as assigned proves nothing where no unit is bad', async (t) => {
  const skewed = { odds: 0.5, candidate: [[0, 1_500]], reference: [[0, 2_500]] } as const;
  t.ok(logEvidence(harmOfClaim([skewed], { ratio: 2, absolute: 0.002 })) < 0);
});

t.test('counts add: neither order nor grouping matters', async (t) => {
  const claim = { ratio: 2, absolute: 0.002 };
  const units = fc.array(
    fc.record({
      odds: fc.constantFrom(0.05, 0.25, 0.5),
      isCandidate: fc.boolean(),
      share: fc.integer({ min: 0, max: 20 }).map((bad) => bad / 20),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(units, (list) => {
      const seen = list.map(({ odds, isCandidate, share }) => unit(odds, isCandidate, share));
      const back = [...seen].reverse();
      return TESTS.every(
        (test) => logEvidence(test(seen, claim)) === logEvidence(test(back, claim)),
      );
    }),
  );
  t.pass();
});

t.test('claims, odds and shares that mean nothing are refused', async (t) => {
  const seen = [unit(0.5, true, 0)];
  t.throws(() => harmOfClaim(seen, { ratio: 0, absolute: 0.01 }), RangeError);
  t.throws(() => safeOfClaim(seen, { ratio: 2, absolute: 0 }), RangeError);
  t.throws(() => safeOfClaim(seen, { ratio: 2, absolute: 1 }), RangeError);
  t.throws(() => safeOfClaim([unit(1, true, 0)], { ratio: 2, absolute: 0.1 }), RangeError);
  t.throws(() => safeOfClaim([unit(0.5, true, 1.5)], { ratio: 2, absolute: 0.1 }), RangeError);
});

/** How many units an e-process needs on average, beside what a test needs that knows both rates: log(1/alpha) / KLinf. */
function meanOverLimit(truth: {
  reference: number;
  candidate: number;
  alpha: number;
  seed: number;
}): number {
  const { reference, candidate, alpha, seed } = truth;
  const isHarm = candidate > CLAIM.ratio * reference + CLAIM.absolute;
  const limit = Math.log(1 / alpha) / divergenceToEdge({ reference, candidate }, CLAIM, EVEN);
  const rates = [candidate, reference];
  const bets = betsOf(isHarm ? harmOfClaim : safeOfClaim);
  let sum = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const random = seededRandom(seed + run);
    const draw = (): number => {
      const arm = random.unit() < EVEN ? 0 : 1;
      return 2 * arm + (random.unit() < (rates[arm] ?? 0) ? 1 : 0);
    };
    sum += unitsUntil(1 / alpha, bets, draw);
  }
  return sum / RUNS / limit;
}

const CLAIM: LinearClaim = { ratio: 2, absolute: 0.002 };
const EVEN = 0.5;
const RUNS = 80;

type Bets = {
  readonly weights: readonly number[];
  /** By kind of unit: candidate fine, candidate bad, reference fine, reference bad. */
  readonly growths: readonly (readonly number[])[];
};

function betsOf(test: Test): Bets {
  const growths = [true, false].flatMap((isCandidate) =>
    [0, 1].map((share) =>
      test([unit(EVEN, isCandidate, share)], CLAIM).map(({ logWealth }) => Math.exp(logWealth)),
    ),
  );
  return { weights: test([], CLAIM).map(({ logWeight }) => Math.exp(logWeight)), growths };
}

function unitsUntil(needed: number, { weights, growths }: Bets, draw: () => number): number {
  const wealth = [...weights];
  let units = 0;
  for (let total = 0; total < needed; units += 1) {
    const growth = growths[draw()] ?? [];
    total = 0;
    for (let bet = 0; bet < wealth.length; bet += 1) {
      const now = (wealth[bet] ?? 0) * (growth[bet] ?? 0);
      wealth[bet] = now;
      total += now;
    }
  }
  return units;
}

/** KLinf by brute force: the least divergence of the truth from any pair of rates at the edge. */
function divergenceToEdge(
  truth: { reference: number; candidate: number },
  { ratio, absolute }: LinearClaim,
  odds: number,
): number {
  const kl = (p: number, q: number): number =>
    (p === 0 ? 0 : p * Math.log(p / q)) + (1 - p) * Math.log((1 - p) / (1 - q));
  let least = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 100_000; step += 1) {
    const reference = step * 1e-6;
    const there =
      odds * kl(truth.candidate, ratio * reference + absolute) +
      (1 - odds) * kl(truth.reference, reference);
    if (there < least) least = there;
  }
  return least;
}

t.test('the proof takes at most 1.5 times what a test needs that knows both rates', async (t) => {
  const truths = [
    [0, 0],
    [0.001, 0.001],
    [0.001, 0.002],
    [0.005, 0.005],
    [0.01, 0.01],
    [0.005, 0.02],
    [0.005, 0.025],
    [0.01, 0.05],
  ] as const;
  for (const [index, [reference, candidate]] of truths.entries()) {
    const alpha = candidate > 2 * reference + 0.002 ? 0.01 : 0.05;
    const ratio = meanOverLimit({ reference, candidate, alpha, seed: 1_000 * index });
    t.ok(ratio <= 1.5, `${reference} against ${candidate}: ${ratio.toFixed(2)} times`);
  }
});

t.test('a coarse claim is shown sooner by bets on a candidate that is alike', async (t) => {
  const coarse = { ratio: 10, absolute: 0.01 };
  for (const rate of [0, 0.0002, 0.001]) {
    const unitsOf = (test: Test): number => {
      const counts = (n: number) => [[0, n * (1 - rate)] as const, [1, n * rate] as const];
      let n = 1;
      const shown = (): boolean => {
        const seen = { odds: 0.5, candidate: counts(n), reference: counts(n) };
        return logEvidence(test([seen], coarse)) >= Math.log(20);
      };
      while (!shown()) n *= 1.01;
      return n;
    };
    const ratio = unitsOf(alikeOfClaim) / unitsOf(safeOfClaim);
    t.ok(ratio < 0.96, `${rate}: ${ratio}`);
  }
});
