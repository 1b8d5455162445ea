import fc from 'fast-check';
import t from 'tap';
import { chooseComparator } from '../../../src/compare/choose-comparator.ts';
import { labelMap } from '../../../src/compare/comparators/label-map.ts';
import type { ComparatorSetting } from '../../../src/core/comparator-setting.ts';
import { aSignature, rows } from '../builders.ts';

type Table = readonly (readonly number[])[];

const score = (a: Table, b: Table, options: { threshold?: number; tolerance?: number } = {}) =>
  labelMap({ output: 'probabilities', threshold: 0.5, ...options }).score(
    [rows(...a)],
    [rows(...b)],
  );

t.test('a row differs if any of its labels flips at the threshold', async (t) => {
  t.match(score([[0.9, 0.1, 0.6]], [[0.9, 0.1, 0.4]]), { score: 1, difference: 'label' });
  t.match(score([[0.9, 0.1, 0.6]], [[0.8, 0.4, 0.5]]), { score: 0, difference: 'same' });
  t.equal(
    score(
      [
        [0.9, 0.1],
        [0.9, 0.1],
      ],
      [
        [0.9, 0.6],
        [0.9, 0.2],
      ],
    ).score,
    0.5,
  );
  t.equal(score([[1, -1]], [[0.2, -1]], { threshold: 0 }).score, 0, 'of logits');
});

t.test('the distance is the share of labels that flip, as scikit-learn counts them', async (t) => {
  // The example of sklearn.metrics.hamming_loss: [[0, 1], [1, 1]] against zeros is 0.75.
  const rowsOf = (row: readonly number[]) => score([row], [[0, 0]]).distances?.['probabilities'];
  t.equal(((rowsOf([0, 1]) ?? 0) + (rowsOf([1, 1]) ?? 0)) / 2, 0.75);
  t.equal(score([[0, 1]], [[0, 0]], { tolerance: 0.5 }).score, 0);
});

t.test('NaN in one of the answers is another answer', async (t) => {
  t.match(score([[1, 0]], [[1, Number.NaN]]), { score: 1, difference: 'nonFinite' });
  t.match(score([[1, Number.NaN]], [[1, 0]]), { score: 1, difference: 'nonFinite' });
  t.match(score([[1, -Infinity]], [[0.9, -Infinity]]), { score: 0 });
});

t.test('the score is symmetric, in [0, 1], and 0 for equal answers', async (t) => {
  const row = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
    minLength: 4,
    maxLength: 4,
  });
  fc.assert(
    fc.property(row, row, (a, b) => {
      const { score: there = -1 } = score([a], [b]);
      return (
        there >= 0 && there <= 1 && there === score([b], [a]).score && score([a], [a]).score === 0
      );
    }),
  );
  t.pass();
});

t.test('several labels at once go before one class, by the name of the task', async (t) => {
  const signature = aSignature([['probabilities', 'FP32', [-1, 3]]]);
  const choose = (task: string, compare?: ComparatorSetting) =>
    chooseComparator({ task, compare, signature }, { intent: 'improve', rules: 2 }).name;
  t.equal(choose('multi-label-classification'), 'labelMap(threshold=0.5, tolerance=0)');
  t.equal(
    choose('multi-label-image-classification', { threshold: 0 }),
    'labelMap(threshold=0, tolerance=0)',
  );
  t.equal(choose('image-classification'), 'rankedClasses');
});
