import t from 'tap';
import { chooseLoss } from '../../../src/compare/choose-loss.ts';
import { textLoss } from '../../../src/compare/losses/text.ts';
import { anAnswer, aSignature, FAILURE, texts } from '../builders.ts';

const rule = textLoss('text');
const kept = (...of: readonly string[]) => rule.keep(anAnswer(texts(of))) ?? 'unreadable';
const loss = (answer: string, label: unknown) => rule.loss(kept(answer), label);

t.test('the loss is the character error rate, at most 1', async (t) => {
  t.equal(loss('kitten', 'sitting'), 3 / 7);
  t.equal(loss('same', 'same'), 0);
  t.equal(loss('far too much', 'a'), 1);
  t.equal(loss('', 'a'), 1);
  t.equal(rule.loss(kept('ab', 'abcd'), ['ab', 'abxy']), 0.25);
  // The example of the metric "cer" of Hugging Face's evaluate, weighted by the length of the labels.
  const both =
    21 * loss('this is the prediction', 'this is the reference') +
    20 * loss('there is an other sample', 'there is another one');
  t.ok(Math.abs(both / 41 - 0.34146341463414637) < 1e-12);
});

t.test('to an empty label all but an empty text is wrong', async (t) => {
  t.equal(loss('', ''), 0);
  t.equal(loss('a', ''), 1);
});

t.test('what failed, or is too long to keep, is as wrong as can be', async (t) => {
  t.equal(rule.keep(FAILURE), 'failed');
  t.equal(kept('x'.repeat(70_000)), 'unreadable');
  t.equal(rule.loss('unreadable', 'x'), 1);
});

t.test('the same characters in another form are one label', async (t) => {
  t.same(rule.canonical('é'.normalize('NFC')), rule.canonical('é'.normalize('NFD')));
  t.equal(loss('é'.normalize('NFD'), 'é'.normalize('NFC')), 0);
  t.equal(rule.apart(kept('a'), kept('a')), 0);
  t.equal(rule.apart(kept('a'), kept('b')), 1);
});

t.test('a label that is no text is refused with what was found', async (t) => {
  for (const bad of [1, null, {}, [], [1], 'x'.repeat(65_537)])
    t.throws(() => rule.check(bad), { code: 'invalid_input' });
});

t.test('speech recognition has a loss', async (t) => {
  const signature = aSignature([['text', 'BYTES', [-1]]]);
  const choice = { labels: undefined, signature, compare: undefined };
  t.ok(chooseLoss({ task: 'automatic-speech-recognition', ...choice }));
});
