import fc from 'fast-check';
import t from 'tap';
import { chooseComparator } from '../../../src/compare/choose-comparator.ts';
import { tokenTags } from '../../../src/compare/comparators/token-tags.ts';
import { aSignature, aTensor, wholes } from '../builders.ts';

const comparator = tokenTags({ output: 'logits' });
const ids = (...tags: readonly number[]) =>
  wholes(tags, { name: 'logits', shape: [1, tags.length] });
const scores = (...tokens: readonly (readonly number[])[]) =>
  aTensor(tokens.flat(), { name: 'logits', shape: [1, tokens.length, 2] });

t.test('a row differs if the tag of any token flips', async (t) => {
  t.match(comparator.score([scores([1, 0], [0, 1])], [scores([1, 0], [3, 2])]), {
    score: 1,
    difference: 'label',
    distances: { logits: 0.5 },
  });
  t.equal(comparator.score([scores([1, 0], [0, 1])], [scores([3, 2], [0, 1])]).score, 0);
  t.equal(comparator.score([ids(1, 2, 3, 4)], [ids(1, 2, 3, 5)]).distances?.['logits'], 0.25);
});

t.test('a share of the tokens may flip where the tolerance says so', async (t) => {
  const tolerant = tokenTags({ output: 'logits', tolerance: 0.25 });
  t.equal(tolerant.score([ids(1, 2, 3, 4)], [ids(1, 2, 3, 5)]).score, 0);
  t.equal(tolerant.score([ids(1, 2, 3, 4)], [ids(1, 2, 4, 5)]).score, 1);
  const two = (...tags: readonly number[]) => wholes(tags, { name: 'logits', shape: [2, 2] });
  t.equal(tolerant.score([two(1, 2, 3, 4)], [two(1, 2, 3, 5)]).score, 0.5);
});

t.test('NaN in one of the answers is another answer', async (t) => {
  const [good, bad] = [scores([1, 0]), scores([Number.NaN, 0])];
  t.match(comparator.score([good], [bad]), { score: 1, difference: 'nonFinite' });
  t.match(comparator.score([bad], [good]), { score: 1, difference: 'nonFinite' });
  t.match(comparator.score([good], [scores([1, 0], [1, 0])]), { score: 1, difference: 'shape' });
});

t.test('the distance is symmetric, in [0, 1], and 0 for equal tags', async (t) => {
  const tags = fc.array(fc.nat({ max: 2 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(tags, tags, (a, b) => {
      const between = (x: readonly number[], y: readonly number[]) =>
        comparator.score([ids(...x)], [ids(...y)]).distances?.['logits'] ?? -1;
      const there = between(a, b);
      return there >= 0 && there <= 1 && there === between(b, a) && between(a, a) === 0;
    }),
  );
  t.pass();
});

t.test('tags of tokens go before classes of the whole, by the name of the task', async (t) => {
  const signature = aSignature([['logits', 'FP32', [-1, -1, 9]]]);
  const choose = (task: string) =>
    chooseComparator({ task, compare: undefined, signature }, { intent: 'improve', rules: 2 }).name;
  t.equal(choose('token-classification'), 'tokenTags(tolerance=0)');
  t.equal(choose('text-classification'), 'anyTensor');
});
