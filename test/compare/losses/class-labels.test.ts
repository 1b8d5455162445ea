import t from 'tap';
import { chooseLoss } from '../../../src/compare/choose-loss.ts';
import { labelLoss } from '../../../src/compare/losses/class-labels.ts';
import type { LossRule } from '../../../src/compare/losses/loss-rule.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { anAnswer, aSignature, FAILURE, texts, wholes } from '../builders.ts';

const words = (...of: readonly string[]) => texts(of, { name: 'label' });
const numbers = (...of: readonly number[]) => wholes(of, { name: 'label' });
const text = { name: 'label', dtype: 'BYTES' } as const;
const whole = { name: 'label', dtype: 'INT64' } as const;
const names = ['setosa', 'versicolor', 'virginica'];
const loss = (of: LossRule, answer: Tensor, label: unknown) =>
  of.loss(of.keep(anAnswer(answer)) ?? 'unreadable', label);

t.test('the loss is the share of rows whose label is another one', async (t) => {
  const rule = labelLoss(text, undefined);
  t.equal(loss(rule, words('cat'), 'cat'), 0);
  t.equal(loss(rule, words('cat'), 'dog'), 1);
  t.equal(loss(rule, words('cat', 'dog'), ['cat', 'cow']), 0.5);
  t.equal(rule.keep(FAILURE), 'failed');
});

t.test('a label is what the model writes, a class index or a class name', async (t) => {
  const byName = labelLoss(text, names);
  t.equal(loss(byName, words('virginica'), 'virginica'), 0);
  t.equal(loss(byName, words('virginica'), 2), 0);
  t.equal(loss(byName, words('virginica'), 1), 1);
  const byIndex = labelLoss(whole, names);
  t.equal(loss(byIndex, numbers(2), 'virginica'), 0);
  t.equal(loss(byIndex, numbers(2), 2), 0);
  t.equal(loss(byIndex, numbers(2), '2'), 0);
  t.equal(loss(labelLoss(text, undefined), words('7'), 7), 0);
  t.equal(loss(labelLoss(whole, undefined), numbers(-1), -1), 0, 'as of an outlier detector');
});

t.test('one class in other words is one label', async (t) => {
  t.same(labelLoss(text, names).canonical('virginica'), labelLoss(text, names).canonical(2));
  t.same(labelLoss(whole, names).canonical('virginica'), labelLoss(whole, names).canonical(2));
});

t.test('a label that no answer could match is refused with what was found', async (t) => {
  const refuse = (rule: LossRule, bad: unknown, message: RegExp) =>
    t.throws(() => rule.check(bad), { code: 'invalid_input', message });
  refuse(labelLoss(text, names), 'rosa', /one of setosa, versicolor, virginica.*found "rosa"/);
  refuse(labelLoss(text, names), 3, /or its index, found 3/);
  refuse(labelLoss(whole, names), 'rosa', /whole number.*or one of setosa/);
  for (const bad of [0.5, null, Number.NaN, {}, [], 'two', ' 2', '02', true, 'x'.repeat(1_025)])
    refuse(labelLoss(whole, undefined), bad, /expected/);
  refuse(labelLoss(text, undefined), 'x'.repeat(1_025), /text/);
});

t.test('text too long for a label is an answer that is wrong', async (t) => {
  t.equal(labelLoss(text, undefined).keep(anAnswer(words('x'.repeat(1_025)))), 'unreadable');
});

t.test('a classifier with a label alone has a loss by its task', async (t) => {
  const signature = aSignature([['output_label', 'BYTES', [-1]]]);
  t.ok(chooseLoss({ task: 'classification', labels: names, signature, compare: undefined }));
});
