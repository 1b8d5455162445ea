import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import { VarianceRatios, varianceRatio } from '../../src/stats/variance-ratio.ts';

/** A series in which each value keeps this part of the one before. */
function series(kept: number, count: number, seed: number): readonly number[] {
  const random = seededRandom(seed);
  let value = 0;
  return Array.from({ length: count }, () => {
    value = kept * value + random.unit() - 0.5;
    return value;
  });
}

function meanRatio(kept: number, count: number): number {
  const seeds = Array.from({ length: 40 }, (_, seed) => seed + 1);
  return seeds.reduce((sum, seed) => sum + varianceRatio(series(kept, count, seed)), 0) / 40;
}

t.test('values that do not depend on each other weigh what they are', async (t) => {
  const ratio = meanRatio(0, 400);
  t.ok(ratio >= 1 && ratio < 1.2, `${ratio}`);
});

t.test('values that follow the one before weigh as theory says', async (t) => {
  // (1 + r) / (1 - r): 3 and 9.
  for (const [kept, expected] of [
    [0.5, 3],
    [0.8, 9],
  ] as const) {
    const ratio = meanRatio(kept, 2_000);
    t.ok(Math.abs(ratio / expected - 1) < 0.15, `${kept}: ${ratio} against ${expected}`);
  }
});

t.test('a series that stands still, or avoids itself, weighs what it is', async (t) => {
  t.equal(varianceRatio([]), 1);
  t.equal(varianceRatio([0.3]), 1);
  t.equal(varianceRatio(Array.from({ length: 50 }, () => 0.1)), 1);
  t.equal(varianceRatio(Array.from({ length: 50 }, (_, at) => at % 2)), 1);
});

t.test('a stretch weighs what it would by itself', async (t) => {
  const values = [...series(0.7, 150, 1), ...series(0.2, 150, 2).map((value) => value + 40)];
  const ratios = new VarianceRatios(values);
  for (const [from, to] of [
    [0, 150],
    [150, 300],
    [37, 120],
    [0, 300],
  ] as const) {
    const alone = varianceRatio(values.slice(from, to));
    t.ok(Math.abs(ratios.of(from, to) / alone - 1) < 1e-6, `${from} to ${to}: ${alone}`);
  }
});

t.test('a steady rise is no noise, and does not hide what is', async (t) => {
  const rising = (kept: number) => series(kept, 400, 5).map((value, at) => value + at / 50);
  t.ok(new VarianceRatios(rising(0)).of(100, 400) > 20);
  t.ok(new VarianceRatios(rising(0)).ofRising(100, 400) < 1.5);
  const noisy = new VarianceRatios(rising(0.8)).ofRising(100, 400);
  t.ok(noisy > 5 && noisy < 12, `${noisy}, about 9 expected`);
  const falling = rising(0).map((value) => -value);
  const ratios = new VarianceRatios(falling);
  t.equal(ratios.ofRising(100, 400), ratios.of(100, 400), 'what falls is taken around its mean');
});
