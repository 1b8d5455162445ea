import t from 'tap';
import { modelSchema } from '../../src/config/model-section.ts';

t.test('naming a version needs the role operate, unless another is written', async (t) => {
  t.equal(modelSchema.parse({}).routing.pin, 'operate');
  t.equal(modelSchema.parse({ route: { stable: '1' } }).routing.pin, 'operate');
  t.equal(modelSchema.parse({ route: { stable: '1', pin: 'infer' } }).routing.pin, 'infer');
  const { error } = modelSchema.safeParse({ route: { stable: '1', pin: 'anyone' } });
  t.match(error?.issues, [{ path: ['route', 'pin'], message: /expected one of infer, label/ }]);
});

t.test('a rule says nothing of a role that is not written, as on record', async (t) => {
  const rule = { match: { header: { 'X-Canary': 'always' } }, version: '2' };
  const rulesOf = (parts: object) =>
    modelSchema.parse({ route: { stable: '1', rules: [{ ...rule, ...parts }] } }).route?.rules;
  const plain = { attribute: 'header:x-canary', equals: 'always', version: '2' };
  t.strictSame(rulesOf({}), [plain]);
  t.strictSame(rulesOf({ role: 'view' }), [{ ...plain, role: 'view' }]);
});
