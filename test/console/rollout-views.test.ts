import t from 'tap';
import { HEALTHY } from '../../src/ledger/ledger.ts';
import { aSpec, World } from '../rollout/builders.ts';
import { anAdmin } from './an-admin.ts';

const PATH = '/api/v1/models/fashion/rollouts';

async function threeRollouts() {
  const world = new World();
  const admin = await anAdmin(world);
  for (let count = 0; count < 3; count += 1) {
    await admin.controller.submit({ kind: 'start', spec: aSpec() });
    await admin.controller.submit({ kind: 'abort', model: 'fashion', reason: 'a reason' });
  }
  return { world, ...admin };
}

t.test('the rollouts of a model come newest first, in parts', async (t) => {
  const { app } = await threeRollouts();
  const first = (await app.inject(`${PATH}?limit=2`)).json();
  t.match(first, {
    rollouts: [{ id: 'fashion-2-3' }, { id: 'fashion-2-2' }],
    next: 'fashion-2-2',
    older: 0,
  });
  const rest = (await app.inject(`${PATH}?limit=2&before=${first.next}`)).json();
  t.match(rest, { rollouts: [{ id: 'fashion-2-1', endedBy: 'command', why: 'a reason' }] });
  t.notOk('next' in rest);
  t.equal((await app.inject('/api/v1/rollouts')).json().rollouts.length, 3);
  t.match((await app.inject('/api/v1/rollouts?latest=true')).json(), {
    rollouts: { length: 1, 0: { id: 'fashion-2-3' } },
  });
});

t.test('a part that cannot be is refused, and so is a model that is not there', async (t) => {
  const { app } = await threeRollouts();
  for (const query of ['limit=0', 'limit=51', 'limit=x', 'before=', 'before=fashion-9-9']) {
    const { statusCode, body } = await app.inject(`${PATH}?${query}`);
    t.equal(statusCode, 400, query);
    t.match(JSON.parse(body), { code: 'invalid_input' }, query);
  }
  t.equal((await app.inject('/api/v1/rollouts?latest=yes')).statusCode, 400);
  t.equal((await app.inject('/api/v1/models/none/rollouts')).statusCode, 404);
});

t.test('while the ledger is unread no list says that there is no rollout', async (t) => {
  const ledger = () => ({
    ...HEALTHY,
    kind: 'degraded' as const,
    cause: 'unread' as const,
    why: 'hangs',
    sinceMs: 0,
    unrecorded: 0,
  });
  const { app } = await anAdmin(new World(), { ledger });
  t.match((await app.inject(PATH)).json(), { code: 'not_ready' });
  t.match((await app.inject('/api/v1/rollouts?latest=true')).json(), { code: 'not_ready' });
});

t.test('an undo over the wire names its promotion', async (t) => {
  const { app } = await threeRollouts();
  const undo = (payload: object) =>
    app.inject({ method: 'POST', url: '/api/v1/models/fashion/rollout/undo', payload });
  t.match((await undo({ reason: 'x', rollout: 'fashion-2-3' })).json(), { code: 'other_rollout' });
  t.equal((await undo({ reason: 'x', rollout: 7 })).statusCode, 400);
  t.match((await undo({ reason: 'x' })).json(), { code: 'no_rollout' });
});
