import fc from 'fast-check';
import t from 'tap';
import { FarHalf } from '../../src/compare/far-half.ts';

function farOf(values: readonly number[]): readonly boolean[] {
  const half = new FarHalf();
  return values.map((value) => half.has(value));
}

t.test('about half of what differs is far, however far that is', async (t) => {
  const share = (values: readonly number[]): number =>
    farOf(values).filter(Boolean).length / values.length;
  const spread = Array.from({ length: 1_000 }, (_, at) => ((at * 7_919) % 1_000) / 1_000 + 0.001);
  t.ok(Math.abs(share(spread) - 0.5) < 0.05);
  t.ok(Math.abs(share(spread.map((value) => value * 1e-6)) - 0.5) < 0.05);
  t.equal(share(spread.map(() => 1)), 0.5, 'all alike');
  const drifting = spread.map((value, at) => value + at / 100);
  t.ok(share(drifting) > 0.4, 'the middle follows a drift');
});

t.test('what is the same is in neither half and moves no middle', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.001, max: 1, noNaN: true })), (values) => {
      const between = values.flatMap((value) => [0, value]);
      const far = farOf(between);
      return (
        far.every((isFar, at) => at % 2 === 1 || !isFar) &&
        JSON.stringify(far.filter((_, at) => at % 2 === 1)) === JSON.stringify(farOf(values))
      );
    }),
  );
  t.pass();
});
