import t from 'tap';
import { chooseLoss } from '../../../src/compare/choose-loss.ts';
import { detectionLoss } from '../../../src/compare/losses/detections.ts';
import { anAnswer, aSignature, aTensor, FAILURE } from '../builders.ts';

const rule = detectionLoss({ output: 'boxes' }, ['cat', 'dog']);
const found = anAnswer(
  aTensor([0, 0, 10, 10, 50, 50, 60, 60], { name: 'boxes', shape: [1, 2, 4] }),
  aTensor([0.9, 0.8], { name: 'scores', shape: [1, 2] }),
  aTensor([0, 1], { name: 'labels', shape: [1, 2] }),
);
const loss = (label: unknown) => rule.loss(rule.keep(found) ?? 'unreadable', label);
const CAT = { box: [0, 0, 10, 10], class: 'cat' };
const DOG = { box: [50, 50, 60, 60], class: 1 };

t.test('the loss is 1 - F1 against the boxes of the label', async (t) => {
  t.equal(loss([CAT, DOG]), 0);
  t.equal(loss([DOG, CAT]), 0);
  t.equal(loss([CAT]), 1 - 2 / 3);
  t.equal(loss([]), 1, 'nothing is there');
  t.equal(loss([{ ...CAT, class: 'dog' }, DOG]), 0.5);
});

t.test('labels for several pictures are a list of lists', async (t) => {
  const two = anAnswer(aTensor([0, 0, 10, 10, 0, 0, 10, 10], { name: 'boxes', shape: [2, 1, 4] }));
  const kept = rule.keep(two) ?? 'unreadable';
  t.equal(rule.loss(kept, [[CAT], []]), 0.5);
  t.throws(() => rule.loss(kept, [CAT]), { code: 'invalid_input' });
});

t.test('a label that is no list of boxes is refused with what was found', async (t) => {
  for (const bad of [
    'cat',
    1,
    [1],
    [{ box: [1, 2, 3] }],
    [{ ...CAT, class: 'cow' }],
    [{ box: 1 }],
  ]) {
    t.throws(() => rule.check(bad), { code: 'invalid_input', message: /found/ });
  }
});

t.test('what is kept outlives the process, and what failed is as wrong as can be', async (t) => {
  const kept: unknown = JSON.parse(JSON.stringify(rule.keep(found)));
  t.ok(rule.isKept(kept));
  t.equal(rule.isKept(kept) && rule.loss(kept, [CAT, DOG]), 0);
  t.equal(rule.keep(FAILURE), 'failed');
  t.equal(rule.apart([[[0, 0, 1, 1, 0]]], [[[0, 0, 1, 1, 0]]]), 0);
  t.equal(rule.apart([[[0, 0, 1, 1, 0]]], [[[0, 0, 2, 1, 0]]]), 1);
});

t.test('the task of a detector has the loss by itself', async (t) => {
  const signature = aSignature([
    ['boxes', 'FP32', [-1, -1, 4]],
    ['scores', 'FP32', [-1, -1]],
  ]);
  const choice = { task: 'object-detection', labels: ['cat'], signature, compare: undefined };
  t.ok(chooseLoss(choice)?.isGraded);
});
