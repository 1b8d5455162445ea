import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { ExampleSetting } from '../../src/core/example-setting.ts';
import { aFolder, anExample, aStore, hashUnit, KEEP_BODIES, someBytes } from './builders.ts';

const DAY_MS = 86_400_000;

t.test('an example is found by its request, with the tensors of all three', async (t) => {
  const { store } = await aStore(t, { folder: aFolder(t) });
  const inputs = [someBytes(16), someBytes(3, 'mask')];
  t.ok(store.put(anExample('q1', { inputs })));
  const head = store.find('q1');
  t.match(head, { requestId: 'q1', score: 1, unit: hashUnit('q1'), redacted: [] });
  const body = await store.body(head?.id ?? '');
  t.same(
    body?.request.map(({ name, shape, data }) => ({ name, shape, bytes: data.byteLength })),
    [
      { name: 'image', shape: [1, 16], bytes: 16 },
      { name: 'mask', shape: [1, 3], bytes: 3 },
    ],
  );
  t.same(body?.stable[0]?.data, Buffer.alloc(4, 65));
  t.equal(body?.candidate[0]?.name, 'b');
  t.equal(store.find('q2'), undefined);
});

t.test('files and folder are for their owner alone', async (t) => {
  const { store, disk, folder } = await aStore(t, { folder: aFolder(t) });
  store.put(anExample('q1'));
  await disk.idle();
  const [file = ''] = readdirSync(folder);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  t.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
});

t.test('without bodies no byte of a tensor is on the disk', async (t) => {
  const setting = () => ({ ...KEEP_BODIES, keep: 'scores' as const });
  const { store, disk, folder } = await aStore(t, { folder: aFolder(t), setting });
  store.put(anExample('q1', { inputs: [textInput('who-i-am', 'text')] }));
  await disk.idle();
  t.equal(filesHave(folder, 'who-i-am'), false);
  t.equal(await store.body(store.find('q1')?.id ?? ''), undefined);
});

t.test('an input that is redacted is on the disk in no form, and the others are', async (t) => {
  const setting = () => ({ ...KEEP_BODIES, redact: ['text'] });
  const { store, disk, folder } = await aStore(t, { folder: aFolder(t), setting });
  const inputs = [textInput('who-i-am', 'text'), textInput('harmless', 'other')];
  store.put(anExample('q1', { inputs, unit: 'user-4711' }));
  await disk.idle();
  t.equal(filesHave(folder, 'who-i-am'), false);
  t.equal(filesHave(folder, 'user-4711'), false);
  t.equal(filesHave(folder, 'harmless'), true);
  const head = store.find('q1');
  t.same(head?.redacted, ['text']);
  t.same(
    head?.body?.request.map(({ name }) => name),
    ['other'],
  );
});

t.test('what the setting allows no more is deleted', async (t) => {
  let setting: ExampleSetting = KEEP_BODIES;
  const { store, disk, folder } = await aStore(t, { folder: aFolder(t), setting: () => setting });
  store.put(anExample('q1', { inputs: [textInput('who-i-am', 'text')] }));
  store.put(anExample('q2', { inputs: [textInput('harmless', 'other')] }));
  await disk.idle();
  setting = { ...KEEP_BODIES, redact: ['text'] };
  store.sweep();
  t.equal(store.find('q1'), undefined);
  await disk.run(async () => undefined);
  t.equal(filesHave(folder, 'who-i-am'), false);
  t.equal(filesHave(folder, 'harmless'), true);
  setting = { ...KEEP_BODIES, keep: 'off' };
  t.notOk(store.put(anExample('q3')));
  store.sweep();
  await disk.run(async () => undefined);
  t.same(readdirSync(folder), []);
  t.equal(store.bytes, 0);
});

t.test('one huge body is left out, and its example says so', async (t) => {
  const { store, disk, folder } = await aStore(t, { folder: aFolder(t) });
  t.ok(store.put(anExample('q1', { inputs: [someBytes(50_000_000)] })));
  await disk.idle();
  t.match(store.find('q1'), { bodyLeftOut: 'tooLarge', body: undefined });
  t.ok(bytesIn(folder) < 10_000);
});

t.test(
  'all examples together stay within the bytes, and the oldest rollout goes first',
  async (t) => {
    const { store, disk, folder } = await aStore(t, { folder: aFolder(t) });
    const inputs = [someBytes(60_000)];
    for (let index = 0; index < 12; index += 1)
      store.put(anExample(`old${index}`, { inputs, rolloutId: 'r0' }));
    for (let index = 0; index < 12; index += 1) store.put(anExample(`new${index}`, { inputs }));
    await disk.idle();
    await disk.run(async () => undefined);
    t.ok(store.bytes <= KEEP_BODIES.bytesMax, `${store.bytes}`);
    t.equal(bytesIn(folder), store.bytes);
    const heads = store.list({ order: 'newest', limit: 100 });
    t.equal(heads.filter(({ rolloutId }) => rolloutId === 'r1').length, 12);
    t.ok(heads.length < 24);
  },
);

t.test('what is pinned is not evicted, and goes once nothing keeps it', async (t) => {
  const { store, lost } = await aStore(t, { folder: aFolder(t) });
  const inputs = [someBytes(60_000)];
  for (let index = 0; index < 17; index += 1)
    store.put(anExample(`p${index}`, { inputs, keptFor: ['label'] }));
  t.notOk(store.put(anExample('q1', { inputs })), 'pinned ones hold all the room');
  t.same(lost, ['full']);
  const id = store.find('p3')?.id ?? '';
  store.unpin(id);
  t.equal(store.get(id), undefined);
  t.ok(store.put(anExample('q1', { inputs })));
  const kept = store.find('q1')?.id ?? '';
  t.ok(store.pin(kept));
  store.release(kept, 'largest');
  t.ok(store.get(kept), 'no longer one of the largest, and pinned');
  store.unpin(kept);
  t.equal(store.get(kept), undefined);
});

t.test('an example is not shown after its age, and then deleted, pinned or not', async (t) => {
  const clock = new HandClock();
  const { store, disk, folder } = await aStore(t, { folder: aFolder(t), clock });
  store.put(anExample('q1', { keptFor: ['label'] }));
  await disk.idle();
  clock.advance(7 * DAY_MS + 1);
  t.equal(store.find('q1'), undefined);
  t.same(store.list({ order: 'newest', limit: 9 }), []);
  store.sweep();
  await disk.run(async () => undefined);
  t.same(readdirSync(folder), []);
});

t.test(
  'a unit is forgotten with all of its examples, those that wait for the disk too',
  async (t) => {
    const { store, disk, folder } = await aStore(t, { folder: aFolder(t) });
    store.put(anExample('q1', { unit: 'ann' }));
    store.put(anExample('q2', { unit: 'ben' }));
    await disk.idle();
    store.put(anExample('q3', { unit: 'ann', keptFor: ['label'] }));
    t.equal(await store.forget('ann'), 2);
    t.equal(await store.forget('ann'), 0);
    await disk.idle();
    t.equal(readdirSync(folder).length, 1);
    t.same(
      store.list({ order: 'newest', limit: 9 }).map(({ requestId }) => requestId),
      ['q2'],
    );
  },
);

t.test(
  'another process finds what was kept, and deletes what is cut off or half-written',
  async (t) => {
    const given = { folder: aFolder(t) };
    const first = await aStore(t, given);
    for (const id of ['q1', 'q2', 'q3']) first.store.put(anExample(id));
    await first.disk.idle();
    const { folder } = first;
    const cut = first.store.find('q2')?.id ?? '';
    truncateSync(join(folder, `${cut}.example`), 300);
    writeFileSync(join(folder, 'feedfeedfeedfeed.example.tmp'), 'half');
    writeFileSync(join(folder, 'feedfeedfeedfeed.example'), 'USEXMPL1');
    writeFileSync(join(folder, 'mine.txt'), 'not ours');
    const next = await aStore(t, given);
    t.same(
      next.store
        .list({ order: 'newest', limit: 9 })
        .map(({ requestId }) => requestId)
        .sort(),
      ['q1', 'q3'],
    );
    t.ok(await next.store.body(next.store.find('q3')?.id ?? ''));
    t.equal(
      readdirSync(folder).filter((name) => name.includes('feed') || name.includes(cut)).length,
      0,
    );
    t.ok(readdirSync(folder).includes('mine.txt'));
    t.same(next.errors, []);
  },
);

t.test('links in the folder are not followed, and none in the place of it', async (t) => {
  const root = t.testdir({ elsewhere: { 'secret.txt': 'SECRET' }, fashion: {} });
  const name = 'feedfeedfeedfeed.example';
  symlinkSync(join(root, 'elsewhere/secret.txt'), join(root, 'fashion', name));
  const { store } = await aStore(t, { folder: root });
  t.same(store.list({ order: 'newest', limit: 9 }), []);
  t.equal(readFileSync(join(root, 'elsewhere/secret.txt'), 'utf8'), 'SECRET');
  t.notOk(readdirSync(join(root, 'fashion')).includes(name));

  const other = t.testdir({ elsewhere: {}, ledger: {} });
  symlinkSync(join(other, 'elsewhere'), join(other, 'ledger/fashion'));
  const linked = await aStore(t, { folder: join(other, 'ledger') });
  t.notOk(linked.store.put(anExample('q1')));
  t.same(linked.lost, ['closed']);
  t.match(linked.errors, [/expected a folder/]);
  await linked.disk.idle();
  t.same(readdirSync(join(other, 'elsewhere')), []);
});

t.test(
  'a link in the place of a file that is to be written is replaced, not followed',
  async (t) => {
    const root = t.testdir({ 'other.txt': 'mine' });
    const { store, disk, folder } = await aStore(t, { folder: root });
    const example = anExample('q1');
    for (const end of ['', '.tmp'])
      symlinkSync(join(root, 'other.txt'), join(folder, `${example.head.id}.example${end}`));
    t.ok(store.put(example));
    await disk.idle();
    t.equal(readFileSync(join(root, 'other.txt'), 'utf8'), 'mine');
    t.ok(lstatSync(join(folder, `${example.head.id}.example`)).isFile());
  },
);

t.test('no text but an id of 16 hex digits leads to a file', async (t) => {
  const { store } = await aStore(t, { folder: t.testdir({ 'x.example': 'USEXMPL1' }) });
  for (const id of ['../x', '..%2fx', '', '.', 'FEEDFEEDFEEDFEED', 'a'.repeat(400)]) {
    t.equal(await store.body(id), undefined, id);
    t.equal(store.get(id), undefined, id);
  }
});

t.test('a folder that is deleted while the gateway runs is made again', async (t) => {
  const { store, disk, folder, lost } = await aStore(t, { folder: aFolder(t) });
  store.put(anExample('q1'));
  await disk.idle();
  await disk.run(async () => {
    const { rmSync } = await import('node:fs');
    rmSync(folder, { recursive: true });
  });
  store.put(anExample('q2'));
  await disk.idle();
  t.same(lost, ['disk']);
  t.equal(store.find('q1'), undefined, 'it is gone, and not shown');
  for (let turn = 0; turn < 1_000 && !store.isOpen; turn += 1)
    await disk.run(async () => undefined);
  t.ok(store.put(anExample('q3')));
  await disk.idle();
  t.equal(readdirSync(folder).length, 1);
});

t.test('lists are by size, by chance or by time, of a slice and a rollout', async (t) => {
  const { store } = await aStore(t, { folder: aFolder(t) });
  const at = (atMs: number, sample: number) => ({
    atMs: 1_700_000_000_000 + atMs,
    keys: { sample, tie: 0 },
  });
  store.put(anExample('a', { ...at(1, 0.9), score: 0.5, attributes: { tone: 'dark' } }));
  store.put(anExample('b', { ...at(2, 0.1), score: 1, keptFor: ['largest', 'random'] }));
  store.put(anExample('c', { ...at(3, 0.2), score: 0, keptFor: ['random'] }));
  store.put(
    anExample('d', { ...at(4, 0.3), score: undefined, difference: 'failure', rolloutId: 'r0' }),
  );
  const ids = (query: Partial<Parameters<typeof store.list>[0]>) =>
    store.list({ order: 'largest', limit: 9, ...query }).map(({ requestId }) => requestId);
  t.same(ids({}), ['d', 'b', 'a'], 'what does not differ is no difference');
  t.same(ids({ order: 'random' }), ['b', 'c'], 'the random sample alone');
  t.same(ids({ order: 'newest' }), ['d', 'c', 'b', 'a']);
  t.same(ids({ slice: { tone: 'dark' } }), ['a']);
  t.same(ids({ slice: { constructor: 'x' } }), []);
  t.same(ids({ rolloutId: 'r1', limit: 1 }), ['b']);
});

function textInput(text: string, name: string) {
  return { name, dtype: 'UINT8', shape: [1, text.length], data: Buffer.from(text) } as const;
}

function filesHave(folder: string, text: string): boolean {
  return readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(text));
}

function bytesIn(folder: string): number {
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
