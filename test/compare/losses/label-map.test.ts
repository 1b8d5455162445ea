import t from 'tap';
import { chooseLoss } from '../../../src/compare/choose-loss.ts';
import { labelMapLoss } from '../../../src/compare/losses/label-map.ts';
import { anAnswer, aSignature, FAILURE, rows } from '../builders.ts';

const names = ['cat', 'dog', 'sofa', 'tree'];
const output = { name: 'probabilities', shape: [-1, 4] };
const rule = labelMapLoss({ output, names, threshold: 0.5 });
const kept = (...table: readonly (readonly number[])[]) =>
  rule.keep(anAnswer(rows(...table))) ?? 'unreadable';
const loss = (row: readonly number[], label: unknown) => rule.loss(kept(row), label);

t.test('the loss is the share of labels that are wrong, by index or by name', async (t) => {
  t.equal(loss([0.9, 0.1, 0.8, 0.1], ['cat', 'sofa']), 0);
  t.equal(loss([0.9, 0.1, 0.8, 0.1], ['cat', 1]), 0.5);
  t.equal(loss([0.9, 0.1, 0.8, 0.1], []), 0.5, 'no label holds');
  t.equal(loss([0, 0, 0, 0], []), 0);
  t.equal(loss([0, 0, 0, 0], [0, 1, 2, 3]), 1);
  t.equal(rule.loss(kept([1, 0, 0, 0], [0, 1, 0, 0]), [['cat'], ['tree']]), 0.25);
});

t.test('the mean over rows is the Hamming loss of scikit-learn', async (t) => {
  // sklearn.metrics.hamming_loss(np.array([[0, 1], [1, 1]]), np.zeros((2, 2))) is 0.75.
  const two = labelMapLoss({
    output: { name: 'probabilities', shape: [-1, 2] },
    names: undefined,
    threshold: 0.5,
  });
  const zeros = two.keep(anAnswer(rows([0, 0], [0, 0]))) ?? 'unreadable';
  t.equal(two.loss(zeros, [[1], [0, 1]]), 0.75);
});

t.test('what failed, or has NaN, is as wrong as can be', async (t) => {
  t.equal(rule.keep(FAILURE), 'failed');
  t.equal(loss([Number.NaN, 0, 0, 0], []), 1);
});

t.test('what is kept survives a file, and names in another order are one label', async (t) => {
  const stored: unknown = JSON.parse(JSON.stringify(kept([1, 0, 1, 0], [Number.NaN, 0, 0, 0])));
  t.ok(rule.isKept(stored));
  t.equal(rule.isKept(stored) && rule.loss(stored, [['cat', 'sofa'], []]), 0.5);
  t.same(rule.canonical(['sofa', 'cat', 0]), rule.canonical([0, 2]));
  t.notOk(rule.isKept([{ on: [1] }]));
});

t.test('no label can set two answers further apart than is said', async (t) => {
  t.equal(rule.apart(kept([1, 1, 0, 0]), kept([1, 0, 0, 1])), 0.5);
  t.equal(rule.apart(kept([1, 1, 0, 0]), kept([0.9, 0.8, 0, 0])), 0);
  t.equal(rule.apart(kept([Number.NaN, 1, 0, 0]), kept([1, 1, 0, 0])), 1);
});

t.test('a label that is no list of known labels is refused with what was found', async (t) => {
  for (const bad of ['cat', 1, null, ['bird'], [4], [-1], [0.5], [null], {}])
    t.throws(() => rule.check(bad), { code: 'invalid_input' });
  t.throws(() => rule.check(['bird']), /one of cat, dog.*found "bird"/);
  const open = labelMapLoss({
    output: { name: 'probabilities', shape: [-1, -1] },
    names: undefined,
    threshold: 0.5,
  });
  const answer = open.keep(anAnswer(rows([1, 0]))) ?? 'unreadable';
  t.throws(() => open.loss(answer, [2]), /indexes below 2, found 2/);
});

t.test('a task of several labels has a loss', async (t) => {
  const signature = aSignature([['probabilities', 'FP32', [-1, 4]]]);
  const rule = chooseLoss({
    task: 'multi-label-classification',
    labels: names,
    signature,
    compare: { threshold: 0.2 },
  });
  const answer = rule?.keep(anAnswer(rows([0.3, 0, 0, 0]))) ?? 'unreadable';
  t.equal(rule?.loss(answer, ['cat']), 0);
});
