import fc from 'fast-check';
import t from 'tap';
import { regression } from '../../../src/compare/comparators/regression.ts';
import { aTensor } from '../builders.ts';

const price = (...values: readonly number[]) =>
  aTensor(values, { name: 'price', shape: [values.length, 1] });
const score = (
  a: readonly number[],
  b: readonly number[],
  options: { tolerance?: number; scale?: number } = {},
) => regression({ output: 'price', ...options }).score([price(...a)], [price(...b)]);

t.test('a number that moves by less than the tolerance is the same answer', async (t) => {
  t.match(score([150], [150.035]), { score: 0, difference: 'values' });
  t.match(score([150], [152]), { score: 1, difference: 'values' });
  t.match(score([150, 10], [152, 10]), { score: 0.5 });
  t.same(score([150], [150]), { score: 0, difference: 'same', distances: { price: 0 } });
});

t.test('small values are held to the scale, not to themselves', async (t) => {
  t.equal(score([0], [0.005]).score, 0);
  t.equal(score([0], [0.02]).score, 1);
  t.equal(score([0], [0.2], { scale: 50 }).score, 0);
  t.equal(score([0], [0.6], { scale: 50 }).score, 1);
});

t.test('the greatest distance of a row is shown', async (t) => {
  const { distances } = score([100, 200], [110, 200]);
  t.ok(Math.abs((distances?.['price'] ?? 0) - 0.1) < 1e-6);
});

t.test('a number that is none is another answer, and says so', async (t) => {
  t.match(score([1], [Number.NaN]), { score: 1, difference: 'nonFinite' });
  t.match(score([1, 2], [Number.POSITIVE_INFINITY, 2]), { score: 0.5, difference: 'nonFinite' });
  t.match(score([Number.NaN], [1]), { score: 1, difference: 'nonFinite' });
  t.equal(score([Number.NaN, 1], [Number.NaN, 1.0001]).score, 0);
});

t.test('what lacks the output, or has another shape, is not read as agreement', async (t) => {
  const comparator = regression({ output: 'price' });
  t.match(comparator.score([aTensor([1])], [price(1)]), { score: undefined });
  t.match(comparator.score([price(1)], []), { score: 1, difference: 'missing' });
  t.match(comparator.score([price(1)], [price(1, 2)]), { score: 1, difference: 'shape' });
  t.equal(comparator.score([price()], [price()]).score, undefined);
});

t.test('the score of any two answers lies in [0, 1], and is 0 for equal ones', async (t) => {
  const values = fc.array(fc.float(), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(values, values, (a, b) => {
      const other = a.map((each, at) => b[at] ?? each);
      const scored = score(a, other).score ?? -1;
      return scored >= 0 && scored <= 1 && score(a, a).score === 0;
    }),
  );
  t.pass();
});
