import t from 'tap';
import { type Caller, checkRole, type Doors, NO_CREDENTIALS } from '../../src/core/caller.ts';
import { createEntrance, type Needs } from '../../src/core/entrance.ts';
import { ServeError } from '../../src/core/errors.ts';

type Needed = Exclude<Needs, 'nothing'>;

function entranceFor(identify: Doors['identify']) {
  const refused: string[] = [];
  const doors = { identify, check: checkRole };
  return { refused, ...createEntrance({ doors, onRefused: (reason) => refused.push(reason) }) };
}

const BATCH: Caller = { name: 'key:batch', grants: [{ role: 'infer', models: ['fashion'] }] };
const INFER: Needed = { role: 'infer', of: 'model' };

t.test('a role on the model that is named lets in, and on no other', async (t) => {
  const { enter, refused } = entranceFor(() => BATCH);
  const asker = await enter(NO_CREDENTIALS, INFER, 'fashion');
  t.equal(asker.caller?.name, 'key:batch');
  t.equal(asker.may('infer', 'digits'), false);
  t.throws(() => enter(NO_CREDENTIALS, INFER, 'digits'), { code: 'forbidden' });
  t.throws(() => asker.check('operate', 'fashion'), { code: 'forbidden' });
  t.strictSame(refused, ['forbidden', 'forbidden']);
});

t.test(
  'a role on some model is enough for a list, and not for what belongs to no model',
  async (t) => {
    const { enter } = entranceFor(() => BATCH);
    t.equal(
      (await enter(NO_CREDENTIALS, { role: 'infer', of: 'any' })).may('infer', 'fashion'),
      true,
    );
    t.throws(() => enter(NO_CREDENTIALS, { role: 'view', of: 'any' }), { code: 'forbidden' });
    t.throws(() => enter(NO_CREDENTIALS, { role: 'infer', of: 'all' }), { code: 'forbidden' });
  },
);

t.test('a refusal that says why by a word of its own is counted by it', async (t) => {
  const error = Object.assign(new ServeError('unauthenticated', 'expired'), {
    reason: 'key-expired',
  });
  const { enter, refused } = entranceFor(() => {
    throw error;
  });
  t.throws(() => enter(NO_CREDENTIALS, INFER, 'fashion'), error);
  t.strictSame(refused, ['key-expired']);
});

t.test(
  'a caller that is found later is let in or refused as one that is found at once',
  async (t) => {
    const { enter } = entranceFor(async () => BATCH);
    t.equal((await enter(NO_CREDENTIALS, INFER, 'fashion')).caller, BATCH);
    await t.rejects(async () => enter(NO_CREDENTIALS, INFER, 'digits'), { code: 'forbidden' });
    const unknown = new ServeError('unauthenticated', 'expected a key, found another');
    const lost = entranceFor(async () => Promise.reject(unknown));
    await t.rejects(async () => lost.enter(NO_CREDENTIALS, INFER), unknown);
    t.strictSame(lost.refused, ['unauthenticated']);
  },
);

t.test('the refusal is the same whether there is such a model or not', async (t) => {
  const { enter } = entranceFor(() => BATCH);
  const refusalOf = (model: string): string => {
    try {
      void enter(NO_CREDENTIALS, INFER, model);
      return 'none';
    } catch (error) {
      return String(error).replaceAll(model, 'NAME');
    }
  };
  t.equal(refusalOf('digits'), refusalOf('no-such-model'));
  t.not(refusalOf('digits'), 'none');
});
