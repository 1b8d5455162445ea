import fc from 'fast-check';
import t from 'tap';
import { inSlice, NO_EVIDENCE, sliceKey } from '../../src/core/evidence.ts';
import { bucketBp, saltedHash, sha256Hex } from '../../src/core/hash.ts';
import { CALLER_CODES } from '../../src/core/outcome.ts';
import { freshRandom, seededRandom } from '../../src/core/random.ts';
import { isFinal, type Phase } from '../../src/core/rollout.ts';
import { ALL_BP } from '../../src/core/route.ts';
import { METRIC_NAMES, METRIC_PHASE } from '../../src/core/verdict.ts';
import { compareVersions } from '../../src/core/version.ts';

t.test('versions that are numbers are ordered as numbers, before all others', async (t) => {
  const versions = ['2-slow', '10', '9', 'v1', '2', '99999999999999999999'];
  t.same(versions.sort(compareVersions), ['2', '9', '10', '99999999999999999999', '2-slow', 'v1']);
});

t.test('versions have one order, from either side', async () => {
  const version = fc.oneof(fc.stringMatching(/^\d{1,20}$/), fc.string({ maxLength: 4 }));
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      const isOpposite = Math.sign(compareVersions(a, b)) === -Math.sign(compareVersions(b, a));
      const [low, middle, high] = [a, b, c].sort(compareVersions);
      return (
        isOpposite &&
        (compareVersions(a, b) !== 0 || a === b) &&
        compareVersions(low ?? '', middle ?? '') <= 0 &&
        compareVersions(low ?? '', high ?? '') <= 0
      );
    }),
  );
});

t.test('a hash is the first 64 bits of SHA-256 over salt, NUL and unit', async (t) => {
  t.equal(sha256Hex('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  t.equal(saltedHash('a', 'bc'), sha256Hex('a\0bc').slice(0, 16));
  t.not(saltedHash('ab', 'c'), saltedHash('a', 'bc'), 'salt and unit do not run together');
});

t.test('units fall evenly on the line of basis points', async (t) => {
  const units = Array.from({ length: 20_000 }, (_, unit) => bucketBp('salt', String(unit)));
  t.ok(units.every((bp) => Number.isInteger(bp) && bp >= 0 && bp < ALL_BP));
  const deciles = Array.from({ length: 10 }, () => 0);
  for (const bp of units)
    deciles[Math.floor(bp / 1_000)] = (deciles[Math.floor(bp / 1_000)] ?? 0) + 1;
  // 2,000 expected in each; five standard deviations are 212.
  t.ok(
    deciles.every((count) => Math.abs(count - 2_000) < 212),
    String(deciles),
  );
});

t.test('a seed gives one sequence, another seed another', async (t) => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 50 }, () => random.integer(1_000));
  };
  t.same(draw(1), draw(1));
  t.notSame(draw(1), draw(2));
  const fresh = freshRandom();
  const units = Array.from({ length: 1_000 }, () => fresh.unit());
  t.ok(units.every((unit) => unit >= 0 && unit < 1));
  t.ok(new Set(units).size > 990);
});

t.test('a slice has one key, in any order of writing, and all of it must match', async (t) => {
  t.equal(sliceKey({ tone: 'dark', garment: 'upper' }), 'garment=upper,tone=dark');
  t.ok(inSlice({ tone: 'dark', garment: 'upper', size: 'm' }, { tone: 'dark', garment: 'upper' }));
  t.notOk(inSlice({ tone: 'dark' }, { tone: 'dark', garment: 'upper' }));
});

t.test('no evidence says nothing of anything', async (t) => {
  const numbers = JSON.stringify(NO_EVIDENCE).match(/\d+/g) ?? [];
  t.same(new Set(numbers), new Set(['0']));
});

t.test('a rollout is over once it is promoted, rolled back or aborted', async (t) => {
  const phases: readonly Phase[] = [
    { kind: 'progressing', step: 0, sinceMs: 0 },
    { kind: 'paused', step: 0, sinceMs: 0, why: '' },
    { kind: 'promoted', atMs: 0 },
    { kind: 'rolledBack', atMs: 0, why: '', decidedBy: [] },
    { kind: 'aborted', atMs: 0, why: '' },
  ];
  t.same(phases.map(isFinal), [false, false, true, true, true]);
});

t.test("what a version did is never taken for the caller's doing", async (t) => {
  const faults = [
    'version_not_ready',
    'overloaded',
    'deadline_exceeded',
    'runtime_failed',
    'host_lost',
    'internal',
  ] as const;
  t.same(
    faults.filter((code) => CALLER_CODES.has(code)),
    [],
  );
});

t.test('every metric is seen in the shadow or in the canary', async (t) => {
  t.same(Object.keys(METRIC_PHASE).sort(), [...METRIC_NAMES].sort());
});
