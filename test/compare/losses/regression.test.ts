import fc from 'fast-check';
import t from 'tap';
import { chooseLoss, whyNoLoss } from '../../../src/compare/choose-loss.ts';
import { regressionLoss } from '../../../src/compare/losses/regression.ts';
import { anAnswer, aSignature, aTensor, FAILURE } from '../builders.ts';

const signature = aSignature([['price', 'FP32', [-1, 1]]]);
const price = (...values: readonly number[]) =>
  anAnswer(aTensor(values, { name: 'price', shape: [values.length, 1] }));
const rule = regressionLoss({ output: 'price', scale: 50 });
const loss = (answer: ReturnType<typeof price>, label: unknown, of = rule) =>
  of.loss(of.keep(answer) ?? 'unreadable', label);

t.test('the loss is the error in parts of the scale, at most 1', async (t) => {
  t.equal(loss(price(150), 160), 0.2);
  t.equal(loss(price(150), 150), 0);
  t.equal(loss(price(150), 1_000), 1);
  t.equal(loss(price(150), [160]), 0.2);
  t.equal(loss(price(150, 200), [160, 180]), (0.2 + 0.4) / 2);
});

t.test('a squared error weighs large errors more', async (t) => {
  const squared = regressionLoss({ output: 'price', scale: 50, loss: 'squared' });
  t.ok(Math.abs(loss(price(150), 160, squared) - 0.04) < 1e-12);
  t.equal(loss(price(150), 1_000, squared), 1);
});

t.test('what failed, or is no number, is as wrong as can be', async (t) => {
  t.equal(rule.keep(FAILURE), 'failed');
  t.equal(rule.loss('failed', 1), 1);
  t.equal(loss(price(Number.NaN), 1), 1);
  const stored: unknown = JSON.parse(JSON.stringify(rule.keep(price(Number.NaN))));
  t.ok(rule.isKept(stored));
  t.equal(rule.isKept(stored) && rule.loss(stored, 1), 1);
});

t.test('a label that is no number, or has too many, is refused with what was found', async (t) => {
  for (const bad of ['dear', null, Number.NaN, [], ['1'], { price: 1 }]) {
    t.throws(() => rule.check(bad), { code: 'invalid_input' });
  }
  t.throws(() => loss(price(1, 2), 1), /one label per row, 2, found 1/);
  t.throws(() => loss(price(1), [1, 2]), { code: 'invalid_input' });
});

t.test('a regression has a loss once its scale is declared, and says so before', async (t) => {
  const choice = { task: 'regression', labels: undefined, signature, compare: undefined };
  t.equal(chooseLoss(choice), undefined);
  t.match(whyNoLoss(choice), /needs scale.*compare\.outputs\.price/);
  t.ok(chooseLoss({ ...choice, compare: { outputs: { price: { scale: 50 } } } }));
  t.ok(chooseLoss({ ...choice, compare: { scale: 50 } }));
});

t.test('no label has losses of two answers further apart than the rule says', async (t) => {
  const value = fc.double({ min: -200, max: 200, noNaN: true });
  const values = fc.record({ a: value, b: value, label: value });
  for (const loss of ['absolute', 'squared'] as const) {
    const each = regressionLoss({ output: 'price', scale: 50, loss });
    fc.assert(
      fc.property(values, ({ a, b, label }) => {
        const losses = [a, b].map((answer) => each.loss([[answer]], label));
        const [left = 0, right = 0] = losses;
        return Math.abs(left - right) <= each.apart([[a]], [[b]]) + 1e-12;
      }),
    );
  }
  t.equal(rule.apart([[1]], [[1]]), 0);
  t.equal(rule.apart([[1]], 'failed'), 1);
});
