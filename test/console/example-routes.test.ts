import t, { type Test } from 'tap';
import { aFolder, anExample, aStore, KEEP_BODIES, someBytes } from '../examples/builders.ts';
import { World } from '../rollout/builders.ts';
import { anEntrance, oneForEachRole } from '../support/some-doors.ts';
import { anAdmin } from './an-admin.ts';

const PATH = '/api/v1/models/fashion/examples';

async function withExamples(t: Test, fields: Parameters<typeof anAdmin>[1] = {}) {
  const kept = await aStore(t, { folder: aFolder(t) });
  const forgotten: unknown[] = [];
  const examples = {
    of: () => kept.store,
    setting: () => KEEP_BODIES,
    onForgotten: (what: unknown) => forgotten.push(what),
  };
  const admin = await anAdmin(new World(), { examples, ...fields });
  const dark = { attributes: { tone: 'dark' }, unit: 'ann', inputs: [someBytes(3)] };
  kept.store.put(anExample('q1', { ...dark, score: 0.5 }));
  kept.store.put(anExample('q2', { score: 1, unit: 'ben' }));
  await kept.disk.idle();
  return { ...kept, ...admin, forgotten };
}

t.test('examples are listed, the largest first, without whose they are', async (t) => {
  const { app } = await withExamples(t);
  const all = (await app.inject(PATH)).json();
  t.match(all, { keep: 'bodies', lost: 0, examples: [{ requestId: 'q2' }, { requestId: 'q1' }] });
  t.notOk('unit' in all.examples[0]);
  const dark = (await app.inject(`${PATH}?slice=tone%3Ddark&limit=5&order=newest`)).json();
  t.equal(dark.examples.length, 1);
  t.same(
    (await app.inject(`${PATH}?rollout=latest`)).json().examples,
    [],
    'there is no rollout yet',
  );
});

t.test('one example is read with its tensors as the data plane takes them', async (t) => {
  const { app, store } = await withExamples(t);
  const id = store.find('q1')?.id ?? '';
  t.match((await app.inject(`${PATH}/${id}`)).json(), { id, requestId: 'q1', score: 0.5 });
  const { headers, rawPayload } = await app.inject(`${PATH}/${id}/request`);
  const length = Number(headers['inference-header-content-length']);
  t.same(JSON.parse(rawPayload.toString('utf8', 0, length)), {
    inputs: [
      { name: 'image', datatype: 'UINT8', shape: [1, 3], parameters: { binary_data_size: 3 } },
    ],
  });
  t.same(rawPayload.subarray(length), Buffer.alloc(3, 65));
  t.equal(headers['cache-control'], 'no-store');
  const answer = await app.inject(`${PATH}/${id}/candidate`);
  t.match(answer.rawPayload.toString(), '{"outputs":[{"name":"b"');
});

t.test('what is asked for wrongly is refused, and nothing leads to a file', async (t) => {
  const { app } = await withExamples(t);
  const status = async (url: string) => (await app.inject(PATH + url)).statusCode;
  t.equal(await status('?order=best'), 400);
  t.equal(await status('?limit=501'), 400);
  t.equal(await status('?slice=dark'), 400);
  for (const id of ['..%2f..%2fsecret', '%2e%2e', '0123456789abcdef', 'x'.repeat(300)]) {
    t.equal(await status(`/${id}`), 404, id);
    t.equal(await status(`/${id}/request`), 404, id);
  }
  const elsewhere = '/api/v1/models/..%2fother/examples';
  t.equal((await app.inject(elsewhere)).statusCode, 404);
});

t.test('a unit is forgotten, with the number on record and not the unit', async (t) => {
  const { app, store, forgotten } = await withExamples(t);
  const answer = await app.inject({ method: 'DELETE', url: `${PATH}?unit=ann` });
  t.same(answer.json(), { forgotten: 1 });
  t.equal(store.find('q1'), undefined);
  t.ok(store.find('q2'));
  t.match(forgotten, [{ model: 'fashion', examples: 1, by: { caller: 'anonymous' } }]);
  t.notMatch(JSON.stringify(forgotten), /ann"/);
  const none = await app.inject({ method: 'DELETE', url: PATH });
  t.equal(none.statusCode, 400);
  const long = await app.inject({ method: 'DELETE', url: `${PATH}?unit=${'mallory'.repeat(200)}` });
  t.equal(long.statusCode, 400);
  t.notMatch(long.body, 'mallory');
});

t.test('examples take the role label, or operate, and forgetting takes operate', async (t) => {
  const { entrance } = anEntrance(oneForEachRole('fashion'));
  const { app, store } = await withExamples(t, { entrance });
  const id = store.find('q1')?.id ?? '';
  const as = (role: string) => ({ host: 'localhost', authorization: `Bearer ${role}` });
  const ask = async (role: string, url: string, method: 'GET' | 'DELETE' = 'GET') =>
    (await app.inject({ method, url: PATH + url, headers: as(role) })).statusCode;
  for (const url of ['', `/${id}`, `/${id}/request`]) {
    t.equal(await ask('infer', url), 403, `infer ${url}`);
    t.equal(await ask('view', url), 403, `view ${url}`);
    t.equal(await ask('label', url), 200, `label ${url}`);
    t.equal(await ask('operate', url), 200, `operate ${url}`);
  }
  t.equal(await ask('label', '?unit=ann', 'DELETE'), 403);
  t.ok(store.find('q1'), 'still there');
  t.equal(await ask('operate', '?unit=ann', 'DELETE'), 200);
});
