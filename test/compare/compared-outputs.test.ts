import t from 'tap';
import { chooseComparator } from '../../src/compare/choose-comparator.ts';
import type { ComparatorSetting } from '../../src/core/comparator-setting.ts';
import { aSignature, aTensor, rows } from './builders.ts';

const signature = aSignature([
  ['probabilities', 'FP32', [-1, 3]],
  ['price', 'FP32', [-1, 1]],
]);
const choose = (
  compare: ComparatorSetting | undefined,
  of: ComparatorSetting | undefined = undefined,
) =>
  chooseComparator(
    { task: 'classification', compare, signature },
    { intent: 'improve', rules: 2, ...(of && { compare: of }) },
  );
const price = (value: number) => aTensor([value], { name: 'price', shape: [1, 1] });

t.test('exactly the outputs that a comparator is named for are compared', async (t) => {
  const both = choose({
    outputs: {
      probabilities: { comparator: 'rankedClasses' },
      price: { comparator: 'regression' },
    },
  });
  const shirt = rows([1, 0, 0]);
  t.equal(both.score([shirt, price(5)], [shirt, price(5)]).score, 0);
  t.match(both.score([shirt, price(5)], [shirt, price(9)]), { score: 1, difference: 'values' });
  t.match(both.score([shirt, price(5)], [rows([0, 1, 0]), price(5)]), { difference: 'label' });
  const one = choose({ outputs: { price: { comparator: 'regression' } } });
  t.equal(one.score([shirt, price(5)], [rows([0, 1, 0]), price(5)]).score, 0);
});

t.test('an output that the caller did not ask for says nothing, the others do', async (t) => {
  const both = choose({
    outputs: {
      probabilities: { comparator: 'rankedClasses' },
      price: { comparator: 'regression' },
    },
  });
  t.match(both.score([price(5)], [rows([0, 1, 0]), price(9)]), { score: 1 });
  t.equal(both.score([aTensor([1], { name: 'other' })], [price(5)]).score, undefined);
});

t.test('an output can be left out by name', async (t) => {
  const any = choose({ comparator: 'anyTensor', outputs: { price: { comparator: 'none' } } });
  t.equal(any.score([rows([1, 0, 0]), price(5)], [rows([1, 0, 0]), price(9)]).score, 0);
  t.equal(any.score([price(5)], [price(9)]).score, undefined);
});

t.test('what the operator says goes before what the package says, key by key', async (t) => {
  const tolerant = choose(
    { outputs: { price: { comparator: 'regression', tolerance: 0.5 } } },
    { outputs: { price: { tolerance: 0.1 } } },
  );
  t.equal(tolerant.name, 'regression(tolerance=0.1, scale=1)');
});

t.test('a setting that contradicts itself or the signature is refused', async (t) => {
  const refuse = (compare: ComparatorSetting, message: RegExp) =>
    t.throws(() => choose(compare), { message });
  refuse({ outputs: { rice: { comparator: 'regression' } } }, /expected outputs .*found "rice"/);
  refuse(
    { outputs: { price: { comparator: 'regression', topK: 2 } } },
    /settings of regression \(tolerance, scale, loss\), found topK/,
  );
  refuse({ comparator: 'regression', output: 'scores' }, /numbers named "scores", found prob/);
});
