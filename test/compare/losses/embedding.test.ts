import fc from 'fast-check';
import t from 'tap';
import { chooseLoss } from '../../../src/compare/choose-loss.ts';
import { embeddingLoss } from '../../../src/compare/losses/embedding.ts';
import { anAnswer, aSignature, aTensor, FAILURE } from '../builders.ts';

const vectors = (values: readonly number[], shape: readonly number[]) =>
  anAnswer(aTensor(values, { name: 'v', shape }));
const rule = embeddingLoss({ name: 'v', shape: [-1, 2] });
const loss = (answer: ReturnType<typeof vectors>, label: unknown, of = rule) =>
  of.loss(of.keep(answer) ?? 'unreadable', label);
const near = (found: number, expected: number) => Math.abs(found - expected) < 1e-6;

t.test('the loss is half of 1 - cosine, and length does not count', async (t) => {
  t.ok(near(loss(vectors([3, 4], [1, 2]), [6, 8]), 0));
  t.equal(loss(vectors([1, 0], [1, 2]), [0, 5]), 0.5);
  t.equal(loss(vectors([1, 0], [1, 2]), [-1, 0]), 1);
  t.ok(near(loss(vectors([1, 1], [2]), [0, 1]), 0.29289321881345254 / 2));
  t.equal(
    loss(vectors([1, 0, 0, 1], [2, 2]), [
      [1, 0],
      [1, 0],
    ]),
    0.25,
  );
});

t.test('a row of tokens is read as the mean of its vectors', async (t) => {
  const tokens = embeddingLoss({ name: 'v', shape: [-1, -1, 2] });
  t.ok(near(loss(vectors([2, 0, 0, 2, 0, 0], [1, 3, 2]), [1, 1], tokens), 0));
});

t.test('what failed, is all zeros or no number, is as wrong as can be', async (t) => {
  t.equal(rule.keep(FAILURE), 'failed');
  for (const bad of [
    [0, 0],
    [Number.NaN, 1],
    [Infinity, 1],
  ])
    t.equal(loss(vectors(bad, [1, 2]), [1, 1]), 1);
});

t.test('what is kept is short, and gives the loss of the answer itself', async (t) => {
  const size = 768;
  const of = embeddingLoss({ name: 'v', shape: [-1, size] });
  const one = fc.float({ min: -8, max: 8, noNaN: true });
  fc.assert(
    fc.property(fc.array(one, { minLength: size, maxLength: size }), (values) => {
      if (values.every((value) => value === 0)) return true;
      const kept: unknown = JSON.parse(JSON.stringify(of.keep(vectors(values, [1, size]))));
      return (
        of.isKept(kept) &&
        JSON.stringify(kept).length < 2_100 &&
        near(of.loss(kept, values), 0) &&
        of.apart(kept, kept) === 0
      );
    }),
    { numRuns: 20 },
  );
  t.pass();
});

t.test('a label that is no vector of that size is refused with what was found', async (t) => {
  for (const bad of ['north', 1, null, [], [0, 0], [1, Number.NaN], [1, 2, 3], ['1', '2']])
    t.throws(() => rule.check(bad), { code: 'invalid_input' });
  t.throws(() => rule.check([1, 2, 3]), /vector of 2 numbers, found 3|list of numbers/);
  const open = embeddingLoss({ name: 'v', shape: [-1, -1] });
  t.doesNotThrow(() => open.check([1, 2, 3]));
  t.throws(() => loss(vectors([1, 2], [1, 2]), [1, 2, 3], open), { code: 'invalid_input' });
});

t.test('embeddings have a loss by their task', async (t) => {
  const signature = aSignature([['v', 'FP32', [-1, 2]]]);
  t.ok(
    chooseLoss({ task: 'feature-extraction', labels: undefined, signature, compare: undefined }),
  );
});

t.test('no label has losses of two vectors further apart than the rule says', async (t) => {
  const of = embeddingLoss({ name: 'v', shape: [-1, 3] });
  const one = fc.float({ min: -8, max: 8, noNaN: true });
  const vector = fc
    .array(one, { minLength: 3, maxLength: 3 })
    .filter((v) => v.some((x) => x !== 0));
  fc.assert(
    fc.property(vector, vector, vector, (a, b, label) => {
      const [left, right] = [a, b].map((v) => of.keep(vectors(v, [1, 3])) ?? 'unreadable');
      if (left === undefined || right === undefined) return false;
      const difference = Math.abs(of.loss(left, label) - of.loss(right, label));
      return difference <= of.apart(left, right) + 1e-9;
    }),
  );
  t.pass();
});
