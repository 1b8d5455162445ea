import fc from 'fast-check';
import t from 'tap';
import { chooseComparator } from '../../../src/compare/choose-comparator.ts';
import { type EmbeddingOptions, embedding } from '../../../src/compare/comparators/embedding.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { aSignature, aTensor } from '../builders.ts';

type Table = readonly (readonly number[])[];

const vectors = (table: Table, shape: readonly number[] = [table.length, table[0]?.length ?? 0]) =>
  doubles(table.flat(), shape);
const doubles = (values: readonly number[], shape: readonly number[]): Tensor => ({
  name: 'v',
  dtype: 'FP64',
  shape,
  data: new Uint8Array(new Float64Array(values).buffer),
});
const score = (a: Tensor, b: Tensor, options: Partial<EmbeddingOptions> = {}) =>
  embedding({ output: 'v', ...options }).score([a], [b]);
const distance = (a: Tensor, b: Tensor, options: Partial<EmbeddingOptions> = {}) =>
  score(a, b, options).distances?.['v'] ?? Number.NaN;
const near = (found: number, expected: number) => Math.abs(found - expected) < 1e-9;
const cosine = { similarity: 'cosine' } as const;

t.test('the distance by cosine is that of scipy', async (t) => {
  // The examples of scipy.spatial.distance.cosine.
  const one = vectors([[1, 0, 0]]);
  t.equal(distance(one, vectors([[0, 1, 0]]), cosine), 1);
  t.equal(distance(vectors([[100, 0, 0]]), vectors([[0, 1, 0]]), cosine), 1);
  t.ok(near(distance(vectors([[1, 1, 0]]), vectors([[0, 1, 0]]), cosine), 0.29289321881345254));
  t.equal(distance(one, vectors([[-1, 0, 0]]), cosine), 2);
});

t.test('a changed length counts, unless callers compare by cosine', async (t) => {
  const [a, b] = [vectors([[3, 4]]), vectors([[6, 8]])];
  t.match(score(a, b), { score: 1, difference: 'values' });
  t.ok(near(distance(a, b), 1 - (2 * 50) / (25 + 100)));
  t.equal(score(a, b, cosine).score, 0);
  t.equal(score(a, vectors([[3.3, 4.4]])).score, 0, 'a tenth longer is within the tolerance');
  t.ok(near(distance(vectors([[1, 1]]), vectors([[Math.SQRT2, 0]])), 1 - Math.SQRT1_2));
});

t.test(
  'a vector of zeros is the same as another one, and as far as can be from the rest',
  async (t) => {
    const [zero, one] = [vectors([[0, 0]]), vectors([[1, 0]])];
    t.equal(score(zero, vectors([[-0, 0]])).score, 0);
    for (const options of [{}, cosine]) {
      t.equal(distance(zero, one, options), 2);
      t.equal(distance(one, zero, options), 2);
    }
  },
);

t.test('a row of tokens is at the mean distance of those that are no padding', async (t) => {
  const tokens = (table: Table) => vectors(table, [1, table.length, 2]);
  const [same, padding] = [
    [1, 0],
    [0, 0],
  ];
  t.equal(distance(tokens([[1, 0], same]), tokens([[0, 1], same])), 0.5);
  t.equal(
    distance(tokens([[1, 0], same, padding, padding]), tokens([[0, 1], same, padding, padding])),
    0.5,
  );
  t.equal(score(tokens([padding]), tokens([[0, -0]])).score, 0);
  t.match(score(tokens([same]), tokens([same, same])), { score: 1, difference: 'shape' });
});

t.test('the score is the share of rows beyond the tolerance', async (t) => {
  const stable = vectors([
    [1, 0],
    [0, 1],
    [1, 1],
    [1, 2],
  ]);
  t.equal(
    score(
      stable,
      vectors([
        [1, 0],
        [1, 0],
        [1, 1.01],
        [1, 2],
      ]),
    ).score,
    0.25,
  );
  t.equal(score(stable, stable).difference, 'same');
  t.equal(score(vectors([[1, 2]], [2]), vectors([[2, 1]], [2])).score, 1, '[D] is one row');
});

t.test('NaN and infinities are another answer, unless both have them', async (t) => {
  const good = vectors([
    [1, 2],
    [3, 4],
  ]);
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    t.match(
      score(
        good,
        vectors([
          [1, bad],
          [3, 4],
        ]),
      ),
      { score: 0.5, difference: 'nonFinite' },
    );
    t.match(
      score(
        vectors([
          [1, bad],
          [3, 4],
        ]),
        good,
      ),
      { score: 0.5, difference: 'nonFinite' },
    );
    t.match(score(vectors([[1, bad]]), vectors([[1.01, bad]])), { score: 0, difference: 'values' });
  }
});

t.test('vectors at the ends of the doubles keep their distance', async (t) => {
  for (const size of [1e-300, 1, 1e300]) {
    t.ok(
      near(distance(vectors([[size, size]]), vectors([[0, size]]), cosine), 0.29289321881345254),
    );
    t.equal(
      distance(
        vectors([[size, 0]]),
        vectors(
          [
            [size, 0],
            [1, 1],
          ].slice(0, 1),
        ),
      ),
      0,
    );
  }
  t.equal(distance(vectors([[1e300, 0]]), vectors([[1e-300, 0]])), 1);
});

const anyVector = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
  minLength: 3,
  maxLength: 3,
});

t.test('the distance is symmetric, within [0, 2], and 0 for equal vectors', async (t) => {
  const options = fc.constantFrom<Partial<EmbeddingOptions>>({}, cosine);
  fc.assert(
    fc.property(anyVector, anyVector, options, (a, b, of) => {
      const [one, other] = [vectors([a]), vectors([b])];
      const [there, back] = [distance(one, other, of), distance(other, one, of)];
      const beside = distance(vectors([a, [1, 0, 0]]), vectors([a, [2, 0, 0]]), cosine);
      return there >= 0 && there <= 2 && near(there, back) && beside < 1e-12;
    }),
  );
  t.pass();
});

t.test('the pooled vector goes before tokens where the task chooses', async (t) => {
  const signature = aSignature([
    ['last_hidden_state', 'FP32', [-1, -1, 4]],
    ['pooler_output', 'FP32', [-1, 4]],
  ]);
  const choose = (task: string) =>
    chooseComparator({ task, compare: undefined, signature }, { intent: 'improve', rules: 2 });
  const pooled = aTensor([1, 0, 0, 0], { name: 'pooler_output' });
  for (const task of ['feature-extraction', 'image-feature-extraction', 'sentence-similarity']) {
    t.equal(choose(task).name, 'embedding(tolerance=0.02)');
    t.equal(choose(task).score([pooled], [pooled]).score, 0);
  }
});
