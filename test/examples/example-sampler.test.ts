import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import { differenceSize, ExampleSampler } from '../../src/examples/example-sampler.ts';
import { anExample } from './builders.ts';

type Kept = { readonly largest: Set<number>; readonly random: Set<number> };

/** Offers pairs, a second apart, and says which are kept in the end. */
function keptOf(sizes: readonly number[], seed = 1, distance = (_: number) => 0): Kept {
  const sampler = new ExampleSampler({ startedMs: 0, random: seededRandom(seed) });
  const kept: Kept = { largest: new Set(), random: new Set() };
  sizes.forEach((size, index) => {
    const at = { size, distance: distance(index), atMs: index * 1_000 };
    const choice = sampler.consider(at, at.atMs);
    if (choice === undefined) return;
    if (choice.isLargest) kept.largest.add(index);
    if (choice.isRandom) kept.random.add(index);
    for (const { id, for: reason } of sampler.take(String(index), choice, at))
      kept[reason].delete(Number(id));
  });
  return kept;
}

t.test('of equal differences some of every part of the time are kept', async (t) => {
  const { largest } = keptOf(Array.from({ length: 20_000 }, () => 1));
  const parts = new Set([...largest].map((index) => Math.floor(index / 4_000)));
  t.same([...parts].sort(), [0, 1, 2, 3, 4]);
  t.ok(largest.size >= 32 && largest.size <= 64, `kept ${largest.size}`);
});

t.test('the largest difference is kept, then the largest distance, whenever it came', async (t) => {
  const sizes = Array.from({ length: 5_000 }, (_, index) => (index === 777 ? 1 : 0.5));
  const { largest } = keptOf(sizes, 2, (index) => (index === 4_321 ? 9 : index % 7));
  t.ok(largest.has(777), 'the largest score');
  t.ok(largest.has(4_321), 'the largest distance');
  t.equal(keptOf([0, 0, 0]).largest.size, 0, 'what does not differ is no difference');
});

t.test('the random sample is uniform over all pairs, whether they differ or not', async (t) => {
  const [pairs, runs] = [1_000, 400];
  const halves = [0, 0];
  for (let seed = 0; seed < runs; seed += 1) {
    const { random } = keptOf(
      Array.from({ length: pairs }, () => 0),
      seed,
    );
    t.equal(random.size, 64, `seed ${seed}`);
    for (const index of random)
      halves[index < pairs / 2 ? 0 : 1] = (halves[index < pairs / 2 ? 0 : 1] ?? 0) + 1;
  }
  const share = (halves[0] ?? 0) / (64 * runs);
  // Five standard errors of 25,600 draws without replacement.
  t.ok(Math.abs(share - 0.5) < 0.016, `share of the first half ${share}`);
});

t.test('after a restart the sample stays one of all pairs', async (t) => {
  const seen = 1_000;
  const heads = Array.from({ length: 64 }, (_, index) => {
    const keys = { sample: index / 1_000, tie: 0 };
    return { ...anExample(`q${index}`, { keys, seen, keptFor: ['random'] }).head };
  }).map((head) => ({ ...head, unit: '', body: undefined, redacted: [], bodyLeftOut: undefined }));
  const sampler = new ExampleSampler({ startedMs: 0, random: seededRandom(1) });
  t.same(sampler.restore(heads), []);
  t.equal(sampler.seen, seen);
  let taken = 0;
  for (let index = 0; index < 1_000; index += 1)
    if (sampler.consider({ size: 0, distance: 0 }, 0)?.isRandom) taken += 1;
  t.ok(taken > 20 && taken < 130, `${taken} of 1,000 below the place of the last`);
});

t.test('what was evicted makes the sample smaller, not younger', async (t) => {
  const sampler = new ExampleSampler({ startedMs: 0, random: seededRandom(1) });
  const at = { size: 0, distance: 0, atMs: 0 };
  sampler.take('a', { isLargest: false, isRandom: true, keys: { sample: 0, tie: 0 } }, at);
  sampler.take('b', { isLargest: false, isRandom: true, keys: { sample: 0.001, tie: 0 } }, at);
  sampler.gone('b', true);
  const chosen = Array.from({ length: 200 }, () => sampler.consider(at, 0)).filter(Boolean);
  t.ok(chosen.length < 5, `${chosen.length} of 200 below 0.001`);
});

t.test('one side that failed differs more than any two answers', async (t) => {
  const failed = { score: undefined, difference: 'failure', distances: undefined } as const;
  t.ok(differenceSize(failed).size > 1);
  const infinite = { a: Number.NaN, b: 3 };
  t.same(differenceSize({ score: 1, difference: 'values', distances: infinite }), {
    size: 1,
    distance: 3,
  });
});

t.test('a pair of which nothing is kept costs less than two microseconds', async (t) => {
  const sampler = new ExampleSampler({ startedMs: 0, random: seededRandom(3) });
  const pairs = 100_000;
  const once = (): number => {
    const begun = performance.now();
    for (let index = 0; index < pairs; index += 1)
      sampler.consider({ size: 0, distance: 0 }, index);
    return ((performance.now() - begun) * 1_000) / pairs;
  };
  // The best of several: the machine may be busy.
  const best = Math.min(...Array.from({ length: 5 }, once));
  t.comment(`${best.toFixed(3)} microseconds`);
  t.ok(best < 2, `${best} microseconds`);
});
