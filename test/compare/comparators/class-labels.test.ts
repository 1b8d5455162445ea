import fc from 'fast-check';
import t from 'tap';
import { chooseComparator } from '../../../src/compare/choose-comparator.ts';
import { classLabels } from '../../../src/compare/comparators/class-labels.ts';
import type { ComparatorSetting } from '../../../src/core/comparator-setting.ts';
import type { Dtype } from '../../../src/core/tensor.ts';
import { aSignature, rows, texts, wholes } from '../builders.ts';

const words = (...of: readonly string[]) => texts(of, { name: 'label' });
const numbers = (...of: readonly number[]) => wholes(of, { name: 'label' });
const comparator = classLabels('label');

t.test('the score is the share of rows whose label changed', async (t) => {
  t.match(comparator.score([words('cat', 'dog')], [words('cat', 'cow')]), {
    score: 0.5,
    difference: 'label',
    distances: { label: 1 },
  });
  t.match(comparator.score([words('cat')], [words('cat')]), { score: 0, difference: 'same' });
  t.equal(comparator.score([numbers(1, 2, 3, 4)], [numbers(1, 2, 3, 5)]).score, 0.25);
  const column = (...of: readonly number[]) => wholes(of, { name: 'label', shape: [of.length, 1] });
  t.equal(comparator.score([column(1, 2)], [column(2, 2)]).score, 0.5);
});

t.test('labels that a double cannot tell apart are other labels', async (t) => {
  const label = (value: bigint) => ({
    ...numbers(0),
    data: new Uint8Array(new BigInt64Array([value]).buffer),
  });
  t.equal(comparator.score([label(2n ** 53n)], [label(2n ** 53n + 1n)]).score, 1);
});

t.test('what cannot be read as labels of the rows is another answer', async (t) => {
  t.match(comparator.score([words('a')], [words('a', 'b')]), { score: 1, difference: 'shape' });
  t.match(comparator.score([words('a')], [numbers(1)]), { score: 1, difference: 'shape' });
  t.match(comparator.score([words('a')], []), { score: 1, difference: 'missing' });
  t.equal(comparator.score([rows([1, 0])], [words('a')]).score, undefined);
  const lying = { ...words('a'), data: Uint8Array.of(9, 0, 0, 0, 1) };
  t.match(comparator.score([words('a')], [lying]), { score: 1, difference: 'shape' });
  t.equal(comparator.score([words()], [words()]).score, undefined, 'no rows say nothing');
});

t.test('the score of any labels is symmetric, in [0, 1], and 0 for equal ones', async (t) => {
  const labels = fc.array(fc.string({ unit: 'binary' }), { minLength: 2, maxLength: 2 });
  fc.assert(
    fc.property(labels, labels, (a, b) => {
      const [there, back] = [words(...a), words(...b)];
      const { score = -1 } = comparator.score([there], [back]);
      return (
        score >= 0 &&
        score <= 1 &&
        score === comparator.score([back], [there]).score &&
        comparator.score([there], [there]).score === 0
      );
    }),
  );
  t.pass();
});

const choose = (
  outputs: readonly [string, Dtype, readonly number[]][],
  compare: ComparatorSetting | undefined = undefined,
) =>
  chooseComparator(
    { task: 'tabular-classification', compare, signature: aSignature(outputs) },
    { intent: 'improve', rules: 2 },
  ).name;

t.test('a classifier with a label alone is compared by it, one with scores by those', async (t) => {
  t.equal(choose([['output_label', 'INT64', [-1]]]), 'classLabels');
  t.equal(choose([['label', 'BYTES', [-1, 1]]]), 'classLabels');
  t.equal(
    choose([
      ['label', 'INT64', [-1]],
      ['probabilities', 'FP32', [-1, 3]],
    ]),
    'rankedClasses',
  );
});

t.test('the label can be named although there are scores', async (t) => {
  const outputs: [string, Dtype, readonly number[]][] = [
    ['label', 'INT64', [-1]],
    ['probabilities', 'FP32', [-1, 3]],
  ];
  t.equal(choose(outputs, { output: 'label' }), 'classLabels');
  t.equal(choose(outputs, { outputs: { label: { comparator: 'classLabels' } } }), 'classLabels');
  t.throws(() => choose(outputs, { outputs: { probabilities: { comparator: 'classLabels' } } }), {
    message: /expected an output of labels/,
  });
  t.equal(choose([['scores', 'UINT8', [-1, 10]]], { output: 'scores' }), 'rankedClasses');
});
