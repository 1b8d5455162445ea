import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { type JoiningKey, JoiningStore } from '../../src/host/joining-store.ts';
import { aHungFile } from '../support/a-pipe.ts';
import { until } from '../support/until.ts';

const KEY: JoiningKey = {
  digest: 'abc',
  rule: 1,
  runtime: '1',
  processor: 'p',
  providers: ['cpu'],
  strict: true,
  intraOpThreads: 1,
  rowsMax: 32,
  declared: false,
};

t.test('what was found is there for the next process, for the same key only', async (t) => {
  const folder = path.join(t.testdir(), 'cache');
  const first = new JoiningStore(folder, (error) => t.fail(String(error)));
  first.put(KEY, { kind: 'probed' });
  first.put({ ...KEY, digest: 'def' }, { kind: 'off', because: 'rows mix' });
  await first.close();
  const second = new JoiningStore(folder, (error) => t.fail(String(error)));
  t.same(await second.get(KEY), { kind: 'probed' });
  t.same(await second.get({ ...KEY, digest: 'def' }), { kind: 'off', because: 'rows mix' });
  t.equal(await second.get({ ...KEY, rule: 2 }), undefined);
});

t.test('what is not yet found is not kept', async (t) => {
  const folder = path.join(t.testdir(), 'cache');
  const store = new JoiningStore(folder, (error) => t.fail(String(error)));
  store.put(KEY, { kind: 'probing' });
  await store.close();
  t.equal(await store.get(KEY), undefined);
});

t.test('a file that is damaged is found again', async (t) => {
  const folder = path.join(t.testdir(), 'cache');
  await mkdir(folder);
  const store = new JoiningStore(folder, () => undefined);
  store.put(KEY, { kind: 'probed' });
  await store.close();
  for (const name of await readdir(folder)) await writeFile(path.join(folder, name), '{"joining":');
  t.equal(await new JoiningStore(folder, () => undefined).get(KEY), undefined);
});

t.test('a folder that cannot be written costs one error and no finding', async (t) => {
  const file = path.join(t.testdir({ file: '' }), 'file');
  const errors: unknown[] = [];
  const store = new JoiningStore(path.join(file, 'cache'), (error) => errors.push(error));
  store.put(KEY, { kind: 'probed' });
  store.put({ ...KEY, digest: 'def' }, { kind: 'probed' });
  await store.close();
  t.equal(errors.length, 1);
  t.same(await store.get(KEY), { kind: 'probed' });
});

t.test('a disk that hangs costs one wait in all, and holds no load and no end', async (t) => {
  const folder = path.join(t.testdir(), 'cache');
  const first = new JoiningStore(folder, () => undefined);
  first.put(KEY, { kind: 'probed' });
  await first.close();
  const [name = ''] = await readdir(folder);
  const file = aHungFile(t, path.join(folder, name));
  const errors: unknown[] = [];
  const store = new JoiningStore(folder, (error) => errors.push(error), 50);
  t.equal(await store.get(KEY), undefined);
  store.put({ ...KEY, digest: 'def' }, { kind: 'probed' });
  t.equal(await store.get({ ...KEY, digest: 'other' }), undefined);
  await store.close();
  t.match(errors, [{ name: 'DiskHungError', message: /^the disk under the cache / }]);
  t.equal(errors.length, 1);
  file.end();
  await until('it is used again', async () => {
    store.put({ ...KEY, rule: Math.trunc(performance.now()) }, { kind: 'probed' });
    await store.close();
    return (await readdir(folder)).length > 1;
  });
});
