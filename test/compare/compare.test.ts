import fc from 'fast-check';
import t from 'tap';
import { chooseComparator } from '../../src/compare/choose-comparator.ts';
import { chooseLoss, lossOf } from '../../src/compare/choose-loss.ts';
import { anyTensor } from '../../src/compare/comparators/any-tensor.ts';
import { rankedClasses } from '../../src/compare/comparators/ranked-classes.ts';
import { compare } from '../../src/compare/compare.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { anAnswer, aPair, aSignature, aTensor, FAILURE, rows } from './builders.ts';

const top1 = rankedClasses({ output: 'probabilities', topK: 1 });
const classifier = aSignature([['probabilities', 'FP32', [-1, 3]]]);

const CLASSIFIED = {
  task: 'classification',
  labels: undefined,
  compare: undefined,
  signature: classifier,
};

t.test('any tensor: an answer is the same as itself, for any content', async (t) => {
  const values = fc.array(fc.float(), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(values, (v) => {
      const score = anyTensor().score([aTensor(v)], [aTensor(v)]);
      return score.score === 0 && score.difference === 'same';
    }),
  );
  t.pass();
});

t.test('any tensor: differences within the tolerance of the dtype are none', async (t) => {
  const scored = (a: number, b: number) => anyTensor().score([aTensor([a])], [aTensor([b])]);
  t.equal(scored(100, 100.0005).score, 0);
  t.same(scored(100, 100.01), { score: 1, difference: 'values' });
  t.equal(scored(0, -0).score, 0);
  const wide = anyTensor({ absolute: 0.1, relative: 0 });
  t.equal(wide.score([aTensor([100])], [aTensor([100.05])]).score, 0);
});

t.test('any tensor: what cannot be parsed alike scores 1 and says why', async (t) => {
  const ids = (bytes: readonly number[], over: Partial<Tensor> = {}): Tensor => {
    const data = Uint8Array.from(bytes);
    return { name: 'id', dtype: 'UINT8', shape: [bytes.length], data, ...over };
  };
  const differs = (a: Tensor, ...b: readonly Tensor[]) => anyTensor().score([a], b);
  t.same(differs(aTensor([1, 2])), { score: 1, difference: 'missing' });
  t.same(differs(aTensor([1, 2]), aTensor([1, 2], { shape: [2, 1] })).difference, 'shape');
  t.same(differs(ids([1]), ids([1], { dtype: 'INT8' })).difference, 'shape');
  t.same(differs(ids([1, 2]), ids([1, 3])), { score: 1, difference: 'values' });
  t.same(differs(aTensor([1, 2]), aTensor([1, Number.NaN])).difference, 'nonFinite');
  t.same(differs(aTensor([-Infinity]), aTensor([Infinity])).difference, 'nonFinite');
  const text = (data: string): Tensor => ({ ...ids([1]), dtype: 'BYTES', data: Buffer.from(data) });
  t.equal(differs(text('\x01\0\0\0a'), text('\x01\0\0\0b')).difference, 'values');
  const truncated = { ...aTensor([1, 2]), data: new Uint8Array(4) };
  t.equal(differs(aTensor([1, 2]), truncated).difference, 'shape');
  t.same(anyTensor().score([], [ids([1])]), { score: undefined, difference: 'missing' });
});

t.test('ranked classes: the score is the share of rows whose top class flipped', async (t) => {
  const stable = rows([0.8, 0.2, 0], [0.1, 0.9, 0], [0, 0.4, 0.6], [1, 0, 0]);
  const candidate = rows([0.6, 0.4, 0], [0.9, 0.1, 0], [0, 0.4, 0.6], [1, 0, 0]);
  t.same(top1.score([stable], [candidate]), { score: 0.25, difference: 'label' });
  t.same(top1.score([rows([0.8, 0.2])], [rows([0.7, 0.3])]), { score: 0, difference: 'values' });
  t.same(top1.score([aTensor([0.5, 0.5], { shape: [2] })], [aTensor([0.5, 0.4], { shape: [2] })]), {
    score: 0,
    difference: 'values',
  });
});

t.test('ranked classes: NaN anywhere in the candidate scores 1', async (t) => {
  const good = rows([0.8, 0.2, 0], [0.1, 0.9, 0]);
  const bad = rows([0.8, 0.2, 0], [0.1, 0.9, Number.NaN]);
  t.same(top1.score([good], [bad]), { score: 1, difference: 'nonFinite' });
  t.same(top1.score([bad], [good]), { score: 1, difference: 'nonFinite' });
  t.same(top1.score([bad], [bad]), { score: 1, difference: 'nonFinite' });
  const masked = rows([0.8, -Infinity, 0]);
  t.equal(top1.score([masked], [masked]).score, 0);
  t.equal(top1.score([rows([0.8, 0.1, 0])], [masked]).difference, 'nonFinite');
});

t.test(
  'ranked classes: what the caller did not ask for is not scored, what is gone is',
  async (t) => {
    const other = aTensor([1], { name: 'other' });
    t.equal(top1.score([other], [aTensor([1, 0])]).score, undefined);
    t.same(top1.score([aTensor([1, 0])], [other]), { score: 1, difference: 'missing' });
    t.same(top1.score([aTensor([1, 0])], [aTensor([1, 0, 0])]), { score: 1, difference: 'shape' });
    const none = aTensor([], { shape: [0, 3] });
    t.equal(top1.score([none], [none]).score, undefined);
  },
);

t.test('ranked classes: the K best are compared as a set where the package says so', async (t) => {
  const top2 = chooseComparator(
    {
      task: 'classification',
      compare: { topK: 2 },
      signature: classifier,
    },
    { intent: 'improve', rules: 2 },
  );
  t.equal(top2.score([rows([3, 2, 1])], [rows([2, 3, 1])]).score, 0);
  t.equal(top2.score([rows([3, 2, 1])], [rows([3, 1, 2])]).score, 0.5);
});

t.test('equivalent class scores keep their distribution as well as their top class', async (t) => {
  const choose = (compare = {}, intent: 'equivalent' | 'improve' = 'equivalent') =>
    chooseComparator(
      { task: 'classification', compare, signature: classifier },
      { intent, rules: 2 },
    );
  const [stable, flat] = [rows([0.2, 0.5, 0.3]), rows([0.333, 0.334, 0.333])];
  t.same(choose().score([stable], [flat]), { score: 1, difference: 'distribution' });
  t.equal(choose().score([stable], [rows([0.22, 0.49, 0.29])]).score, 0);
  t.equal(choose({ distribution: 0.2 }).score([stable], [flat]).score, 0);
  t.equal(choose({}, 'improve').score([stable], [flat]).score, 0);
  const before = chooseComparator(
    { task: 'classification', compare: undefined, signature: classifier },
    { intent: 'equivalent' },
  );
  t.equal(before.score([stable], [flat]).score, 0, 'by the rules of before versions');
  const half = choose().score(
    [rows([0.2, 0.5, 0.3], [1, 0, 0])],
    [rows([0.3, 0.4, 0.3], [1, 0, 0])],
  );
  t.same(half, { score: 0.5, difference: 'distribution' });
});

t.test('every comparator stays in [0, 1] and is 0 for equal answers', async (t) => {
  const table = fc.array(fc.array(fc.float(), { minLength: 3, maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  });
  const ranked = { output: 'probabilities', distribution: 0.05 };
  const all = [top1, rankedClasses({ ...ranked, topK: 2 }), anyTensor()];
  fc.assert(
    fc.property(table, table, fc.constantFrom(...all), (a, b, comparator) => {
      const { score } = comparator.score([rows(...a)], [rows(...b)]);
      return score !== undefined && score >= 0 && score <= 1;
    }),
  );
  t.pass();
});

t.test('the comparator follows the package, then the task', async (t) => {
  const choose = (task: string | undefined, compare = {}) =>
    chooseComparator({ task, compare, signature: classifier }, { intent: 'improve', rules: 2 })
      .name;
  t.equal(choose('classification'), 'rankedClasses');
  t.equal(choose('image-classification'), 'rankedClasses');
  t.equal(choose('tabular-regression'), 'regression(tolerance=0.01, scale=1)');
  t.equal(choose(undefined), 'anyTensor');
  t.equal(choose('classification', { comparator: 'anyTensor' }), 'anyTensor');
  t.equal(choose(undefined, { comparator: 'rankedClasses', topK: 2 }), 'rankedClasses(topK=2)');
  t.throws(() => choose('classification', { topK: 3 }), /from 1 to 2 .*found 3/);
  t.throws(() => choose('classification', { output: 'scores' }), /"scores", found probabilities/);
});

t.test('a failure is counted and not scored', async (t) => {
  t.match(compare(aPair({ candidate: FAILURE }), top1), {
    difference: 'failure',
    score: undefined,
    candidateFailed: true,
    stableFailed: false,
  });
  const both = compare(aPair({ candidate: FAILURE, stable: FAILURE }), top1);
  t.ok(both.stableFailed && both.candidateFailed);
});

t.test('a twin that answered gives the noise floor and the latency reference', async (t) => {
  const twin = { ...anAnswer(aTensor([0.1, 0.9])), computeMs: 2 };
  const twinned = compare(aPair({ twin }), top1);
  t.same(twinned, {
    difference: 'same',
    score: 0,
    noise: 1,
    stableFailed: false,
    candidateFailed: false,
    unit: { sticky: undefined, content: undefined },
    shadowRun: 1,
    latency: { candidateMs: 1, twinMs: 2, shadowRun: 1 },
  });
  const failed = compare(aPair({ twin: FAILURE }), top1);
  t.equal(failed.noise, undefined);
  t.equal(failed.latency, undefined);
});

t.test(
  'loss is the share of rows whose top class is not the label, by index or by name',
  async (t) => {
    const labels = ['shirt', 'coat', 'bag'];
    const choice = { task: 'classification', labels, signature: classifier, compare: undefined };
    const two = [rows([0.9, 0.1, 0], [0, 1, 0])];
    t.equal(lossOf(choice, [rows([0.9, 0.1, 0])], 'shirt'), 0);
    t.equal(lossOf(choice, [rows([0.9, 0.1, 0])], 2), 1);
    t.equal(lossOf(choice, two, ['shirt', 'bag']), 0.5);
    t.equal(lossOf(choice, [rows([Number.NaN, 0.1, 0])], 0), 1);
    for (const bad of ['sock', 3, -1, 0.5, null, { a: 1 }, [0, 1], []]) {
      t.throws(() => lossOf(choice, [rows([1, 0, 0])], bad), { code: 'invalid_input' });
    }
    t.throws(() => lossOf({ ...choice, labels: undefined }, two, 'shirt'), /no label names/);
    t.throws(() => lossOf({ ...choice, task: 'regression' }, two, 1), { code: 'unsupported' });
  },
);

t.test('a label that is nested too deeply to be shown is refused like any other', async (t) => {
  let label: unknown = 1;
  for (let depth = 0; depth < 100_000; depth += 1) label = [label];
  const rule = chooseLoss({ ...CLASSIFIED, labels: ['a', 'b'] });
  t.throws(() => rule?.check([label]), { code: 'invalid_input', message: /nested too deeply/ });
});

t.test('a failed answer has loss 1, and one without the scores has none', async (t) => {
  const rule = chooseLoss(CLASSIFIED);
  t.equal(rule?.keep(FAILURE), 'failed');
  t.equal(rule?.loss('failed', 1), 1);
  t.throws(() => rule?.loss('failed', 'x'), { code: 'invalid_input' });
  t.equal(rule?.keep(anAnswer(aTensor([1], { name: 'other' }))), undefined);
});
