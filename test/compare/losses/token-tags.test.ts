import t from 'tap';
import { chooseLoss } from '../../../src/compare/choose-loss.ts';
import { tokenTagsLoss } from '../../../src/compare/losses/token-tags.ts';
import { anAnswer, aSignature, FAILURE, wholes } from '../builders.ts';

const names = ['O', 'B-PER', 'I-PER'];
const rule = tokenTagsLoss('tags', names);
const kept = (shape: readonly number[], ...tags: readonly number[]) =>
  rule.keep(anAnswer(wholes(tags, { name: 'tags', shape }))) ?? 'unreadable';

t.test('the loss is the share of tokens with another tag, by index or name', async (t) => {
  t.equal(rule.loss(kept([1, 4], 0, 1, 2, 0), [0, 1, 2, 0]), 0);
  t.equal(rule.loss(kept([1, 4], 0, 1, 2, 0), ['O', 'B-PER', 'O', 'O']), 0.25);
  t.equal(
    rule.loss(kept([2, 2], 0, 1, 2, 0), [
      [0, 1],
      ['O', 'O'],
    ]),
    0.25,
  );
  t.equal(rule.loss('failed', [0]), 1);
  t.equal(rule.keep(FAILURE), 'failed');
});

t.test('tokens labelled -100 do not count, as Hugging Face labels them', async (t) => {
  t.equal(rule.loss(kept([1, 4], 0, 1, 2, 0), [-100, 1, 0, -100]), 0.5);
});

t.test('a label that is no list of tags is refused with what was found', async (t) => {
  for (const bad of ['O', 0, null, [], [-100], ['B-LOC'], [3], [-1], [0.5], {}])
    t.throws(() => rule.check(bad), { code: 'invalid_input' });
  t.throws(() => rule.loss(kept([1, 2], 0, 1), [0]), /tags of 2 tokens, found 1/);
});

t.test('answers are apart as far as a label of one token says', async (t) => {
  t.equal(rule.apart(kept([1, 2], 0, 1), kept([1, 2], 0, 1)), 0);
  t.equal(rule.apart(kept([1, 2], 0, 1), kept([1, 2], 0, 2)), 1);
  t.same(rule.canonical(['B-PER', -100]), rule.canonical([1, -100]));
});

t.test('token-classification has a loss', async (t) => {
  const signature = aSignature([['logits', 'FP32', [-1, -1, 3]]]);
  t.ok(chooseLoss({ task: 'token-classification', labels: names, signature, compare: undefined }));
});
