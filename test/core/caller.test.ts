import * as fc from 'fast-check';
import t from 'tap';
import {
  ANYONE,
  type Caller,
  checkRole,
  type Grant,
  hasRole,
  NO_CREDENTIALS,
  OPEN_DOORS,
  ROLES,
} from '../../src/core/caller.ts';

const aRole = fc.constantFrom(...ROLES);
const aModel = fc.constantFrom('fashion', 'digits', 'a b');
const aGrant: fc.Arbitrary<Grant> = fc.record({
  role: aRole,
  models: fc.oneof(fc.constant('*' as const), fc.array(aModel, { maxLength: 2 })),
});
const aCaller: fc.Arbitrary<Caller> = fc.record({
  name: fc.constant('key:a'),
  grants: fc.array(aGrant, { maxLength: 4 }),
});

t.test('a role includes what the page says and nothing else', async (t) => {
  const includes = (granted: Caller['grants'][number]['role']) =>
    ROLES.filter((role) =>
      hasRole({ name: 'a', grants: [{ role: granted, models: '*' }] }, role, 'm'),
    );
  t.same(includes('infer'), ['infer']);
  t.same(includes('label'), ['label']);
  t.same(includes('view'), ['view']);
  t.same(includes('operate'), ['infer', 'label', 'view', 'operate']);
  t.same(includes('admin'), ROLES);
});

t.test('a grant on some models reaches no other model and nothing of the gateway', async (t) => {
  const caller: Caller = { name: 'key:a', grants: [{ role: 'operate', models: ['fashion'] }] };
  t.ok(hasRole(caller, 'operate', 'fashion'));
  t.notOk(hasRole(caller, 'operate', 'Fashion'));
  t.notOk(hasRole(caller, 'infer', '*'), 'a model of the name * is one model');
  t.notOk(hasRole(caller, 'view', undefined));
});

t.test('without a grant no role is had, and a further grant takes none away', async () => {
  const anAsk = fc.record({ role: aRole, model: fc.option(aModel, { nil: undefined }) });
  await fc.assert(
    fc.property(aCaller, aGrant, anAsk, (caller, grant, { role, model }) => {
      const has = hasRole(caller, role, model);
      const more = hasRole({ ...caller, grants: [...caller.grants, grant] }, role, model);
      const none = hasRole({ ...caller, grants: [] }, role, model);
      return !none && (!has || more);
    }),
  );
});

t.test('what is had of the gateway is had of every model', async () => {
  await fc.assert(
    fc.property(aCaller, aRole, aModel, (caller, role, model) => {
      return !hasRole(caller, role, undefined) || hasRole(caller, role, model);
    }),
  );
});

t.test('a caller without the role is refused in the same words for every model', async (t) => {
  const caller: Caller = { name: 'key:a', grants: [{ role: 'infer', models: ['fashion'] }] };
  checkRole(caller, 'infer', 'fashion');
  t.throws(() => checkRole(caller, 'operate', 'fashion'), {
    code: 'forbidden',
    message: 'expected a caller with the role operate on model "fashion", found key:a',
  });
  t.throws(() => checkRole(caller, 'infer', undefined), {
    message: /on models: "\*", found key:a/,
  });
});

t.test('open doors let everyone do all', async (t) => {
  t.equal(OPEN_DOORS.identify(NO_CREDENTIALS), ANYONE);
  t.equal(OPEN_DOORS.identify({ ...NO_CREDENTIALS, apiKey: ['a', 'b'] }), ANYONE);
  OPEN_DOORS.check(ANYONE, 'admin', undefined);
  t.ok(hasRole(ANYONE, 'admin', undefined));
});
