import t from 'tap';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { leastToGo, outlookOfClaim, outlookOfMean } from '../../src/decide/outlook.ts';
import { safeOfMean, type ValueCounts } from '../../src/stats/bets.ts';
import { type ExposedShares, safeOfClaim } from '../../src/stats/linear-claim.ts';
import { logEvidence } from '../../src/stats/mixture.ts';

const NEEDED = Math.log(20);
const LOOK_EVERY = 100;

type Course = { readonly provenAt: number | undefined; readonly futileAt: number | undefined };

/** Differences of two versions that are each wrong alone, looked at until the maximum. */
function meanCourse(random: Random, rates: { won: number; lost: number }, max: number): Course {
  const claim = { lower: -1, upper: 1, margin: 0.02 };
  const logSafe = (counts: ValueCounts): number => logEvidence(safeOfMean(counts, claim));
  let [won, lost, futileAt] = [0, 0, undefined as number | undefined];
  for (let seen = 1; seen <= max; seen += 1) {
    const place = random.unit();
    if (place < rates.won) won += 1;
    else if (place < rates.won + rates.lost) lost += 1;
    if (seen % LOOK_EVERY !== 0) continue;
    const counts: ValueCounts = [
      [-1, won],
      [0, seen - won - lost],
      [1, lost],
    ];
    if (logSafe(counts) >= NEEDED) return { provenAt: seen, futileAt };
    const outlook = outlookOfMean(counts, claim, logSafe);
    if (leastToGo(outlook, { needed: NEEDED, most: max - seen }) === undefined) futileAt ??= seen;
  }
  return { provenAt: undefined, futileAt };
}

function courses(rates: { won: number; lost: number }, max: number): readonly Course[] {
  return Array.from({ length: 150 }, (_, run) => meanCourse(seededRandom(700 + run), rates, max));
}

t.test('of the proofs that a maximum allows few are given up', async (t) => {
  for (const max of [2_000, 4_000]) {
    const proven = courses({ won: 0.05, lost: 0.05 }, max).filter(
      ({ provenAt }) => provenAt !== undefined,
    );
    const lost = proven.filter(({ futileAt }) => futileAt !== undefined).length;
    t.ok(proven.length > 50, `${proven.length} proven within ${max}`);
    t.ok(lost <= 0.08 * proven.length, `${lost} of ${proven.length} given up within ${max}`);
  }
});

t.test('a candidate at its margin ends long before the maximum', async (t) => {
  const ends = courses({ won: 0.04, lost: 0.06 }, 4_000).map(({ futileAt = 4_000 }) => futileAt);
  const mean = ends.reduce((sum, each) => sum + each, 0) / ends.length;
  t.ok(mean < 2_600, `${mean}`);
});

t.test('values that were never above 0 are looked ahead at as what they are', async (t) => {
  const claim = { lower: -1, upper: 1, margin: 0.01 };
  const logSafe = (counts: ValueCounts): number => logEvidence(safeOfMean(counts, claim));
  const outlook = outlookOfMean([[0, 150]], claim, logSafe);
  const needed = leastToGo(outlook, { needed: NEEDED, most: 10_000 }) ?? 0;
  t.ok(logSafe([[0, 150 + needed]]) >= NEEDED && logSafe([[0, 149 + needed]]) < NEEDED);
  t.equal(leastToGo(outlook, { needed: NEEDED, most: needed - 1 }), undefined);
  t.equal(leastToGo(outlook, { needed: NEEDED, most: 0 }), undefined);
});

t.test('a linear claim is looked ahead at by both of its rates', async (t) => {
  const claim = { ratio: 2, absolute: 0.002 };
  const logSafe = (seen: readonly ExposedShares[]): number => logEvidence(safeOfClaim(seen, claim));
  const fewest = (candidate: number, reference: number, most: number): number | undefined => {
    const arm = (bad: number): ValueCounts => [
      [0, 1_000 - bad],
      [1, bad],
    ];
    const seen = [{ odds: 0.5, candidate: arm(candidate), reference: arm(reference) }];
    return leastToGo(outlookOfClaim(seen, claim, logSafe), { needed: NEEDED, most });
  };
  const [few = 0, many = 0] = [fewest(0, 0, 100_000), fewest(5, 5, 100_000)];
  t.ok(few > 1_000 && few < 2_500, `${few}`);
  t.ok(many > 0, `${many}`);
  t.equal(fewest(30, 5, 5_000), undefined, 'far beyond its limit');
  t.ok((fewest(4, 5, 100_000) ?? 0) < (fewest(9, 5, 100_000) ?? 0));
});
