import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { KeyChange, KeyCheck } from '../../src/auth/key-store.ts';
import { type CreatedKey, revokeKey } from '../../src/auth/manage-keys.ts';
import { HandClock, systemClock } from '../../src/core/clock.ts';
import { makeFifo } from '../support/a-pipe.ts';
import { until } from '../support/until.ts';
import { aKey, aKeyFolder, aKeyStore } from './a-key-folder.ts';

const wordOf = (check: KeyCheck): string => (check.kind === 'key' ? 'key' : check.why);

t.test('a key passes, one of another secret or pepper does not', async (t) => {
  const folder = await aKeyFolder(t);
  const { key, file } = await aKey(folder);
  const { store } = await aKeyStore(t, folder);
  t.match(store.check(key), { kind: 'key', key: { name: 'batch', id: file.id } });
  const last = key.endsWith('0') ? '1' : '0';
  t.equal(wordOf(store.check(key.slice(0, -1) + last)), 'unknown');
  const other = await aKeyFolder(t);
  await aKey(other);
  t.equal(wordOf((await aKeyStore(t, other)).store.check(key)), 'unknown');
  t.equal(wordOf(store.check('understudy_')), 'malformed');
});

t.test('neither the key nor a part of its secret is on disk', async (t) => {
  const folder = await aKeyFolder(t);
  const { key } = await aKey(folder);
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8');
    t.notOk(text.includes(key.slice(20, 40)), name);
    t.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  }
  t.equal((await stat(folder)).mode & 0o777, 0o700);
});

t.test('a key that is added, revoked or removed counts without a restart', async (t) => {
  const folder = await aKeyFolder(t);
  const changes: KeyChange[] = [];
  const { store } = await aKeyStore(t, folder, { onChange: (change) => changes.push(change) });
  const { key, file } = await aKey(folder);
  await until('the new key passes', () => store.check(key).kind === 'key');
  await revokeKey(folder, file.id, 1);
  await until('the key is revoked', () => wordOf(store.check(key)) === 'revoked');
  t.equal(wordOf(store.recheck(file.id)), 'revoked');
  await rm(join(folder, `${file.id}.json`));
  await until('the key is gone', () => wordOf(store.check(key)) === 'unknown');
  const { id, name } = file;
  t.same(
    changes,
    ['added', 'revoked', 'removed'].map((kind) => ({ kind, id, name })),
  );
});

t.test('a key that is replaced within the same time stamp of its folder is noticed', async (t) => {
  const folder = await aKeyFolder(t);
  const keys: CreatedKey[] = [];
  for (let count = 0; count < 10; count += 1) keys.push(await aKey(folder));
  const { store } = await aKeyStore(t, folder);
  await Promise.all(keys.map(({ file }) => revokeKey(folder, file.id, 1)));
  await until('all are revoked', () =>
    keys.every(({ key }) => wordOf(store.check(key)) === 'revoked'),
  );
});

t.test('a key expires at its time', async (t) => {
  const folder = await aKeyFolder(t);
  const clock = new HandClock(systemClock.wallMs());
  const { key } = await aKey(folder, { expiresMs: clock.wallMs() + 5_000 });
  const { store } = await aKeyStore(t, folder, { clock });
  clock.advance(4_999);
  t.equal(wordOf(store.check(key)), 'key');
  clock.advance(1);
  t.equal(wordOf(store.check(key)), 'expired');
});

t.test('two keys of one name both pass, for a change of keys without an outage', async (t) => {
  const folder = await aKeyFolder(t);
  const [former, next] = [await aKey(folder), await aKey(folder)];
  const { store } = await aKeyStore(t, folder);
  t.match(
    [store.check(former.key), store.check(next.key)],
    [
      { kind: 'key', key: { name: 'batch' } },
      { kind: 'key', key: { name: 'batch' } },
    ],
  );
});

t.test('a file that is no key passes nothing, and the log names it once', async (t) => {
  const folder = await aKeyFolder(t);
  const { key, file } = await aKey(folder);
  const path = join(folder, `${file.id}.json`);
  const text = await readFile(path, 'utf8');
  const { store, logged } = await aKeyStore(t, folder);
  const broken = {
    'half a file': text.slice(0, 100),
    'another id': text.replace(file.id, 'aaaaaaaa'),
    'a role that there is not': text.replace('"infer"', '"root"'),
    'a key too many': text.replace('"version"', '"more": 1, "version"'),
    nothing: '',
    'a list': '[]',
    'a digest of another length': text.replace(file.digest, file.digest.slice(2)),
    'a file beyond its limit': text + ' '.repeat(300_000),
  };
  for (const [what, content] of Object.entries(broken)) {
    logged.length = 0;
    await writeFile(path, content);
    // In place, as an editor writes: seen with the next change of the folder.
    await writeFile(join(folder, '.touch'), '');
    await rm(join(folder, '.touch'));
    await until(`the log names ${what}`, () => logged.length > 0);
    t.equal(store.check(key).kind, 'refused', what);
    t.match(logged[0]?.message, path, what);
    t.equal(logged.length, 1, what);
  }
  await writeFile(path, text);
  await writeFile(join(folder, '.touch'), '');
  await until('the key is back', () => store.check(key).kind === 'key');
});

t.test('a file that others may change passes nothing', async (t) => {
  const folder = await aKeyFolder(t);
  const { key, file } = await aKey(folder);
  const path = join(folder, `${file.id}.json`);
  await chmod(path, 0o644);
  const { store, logged } = await aKeyStore(t, folder);
  t.equal(store.check(key).kind, 'refused');
  t.match(logged[0]?.message, /expected permissions 0600, found 0644.*chmod 600/);
  await chmod(path, 0o600);
  await until('the key is back', () => store.check(key).kind === 'key');
  await chmod(folder, 0o777);
  await until('no key passes', () => store.check(key).kind === 'refused');
  t.match(logged.at(-1)?.message, /only its owner may write to, found permissions 0777/);
});

t.test('without its pepper no key passes, and the log says why', async (t) => {
  const folder = await aKeyFolder(t);
  const { key } = await aKey(folder);
  await rename(join(folder, 'pepper'), join(folder, '.pepper'));
  const { store, logged } = await aKeyStore(t, folder);
  t.equal(store.check(key).kind, 'refused');
  t.match(logged[0]?.message, /expected a file "pepper"/);
  await writeFile(join(folder, 'pepper'), 'short', { mode: 0o600 });
  await until('the pepper is refused', () => logged.length > 1);
  t.match(logged.at(-1)?.message, /expected at least 32 characters, found 5/);
});

t.test('the pepper of the environment goes before the file', async (t) => {
  const folder = await aKeyFolder(t);
  const { key } = await aKey(folder);
  const { store } = await aKeyStore(t, folder, { pepper: 'p'.repeat(40) });
  t.equal(wordOf(store.check(key)), 'unknown');
});

t.test('a folder that is missing, and one that is made later, are no failure', async (t) => {
  const folder = await aKeyFolder(t);
  const { store, logged } = await aKeyStore(t, folder);
  t.match(logged[0]?.message, /expected a folder of keys, found none.*keys create/);
  const { key } = await aKey(folder);
  await until('the key passes', () => store.check(key).kind === 'key');
  await rm(folder, { recursive: true });
  await until('no key passes', () => store.check(key).kind === 'refused');
});

t.test('what lies beside the keys holds up nothing', async (t) => {
  const folder = await aKeyFolder(t);
  const { key } = await aKey(folder);
  makeFifo(join(folder, 'aaaaaaaa.json'));
  await mkdir(join(folder, 'bbbbbbbb.json'));
  await writeFile(join(folder, 'notes.txt'), 'hello');
  const { store, logged } = await aKeyStore(t, folder);
  t.equal(store.check(key).kind, 'key');
  t.same(logged.map(({ message }) => /aaaaaaaa|bbbbbbbb|notes/.exec(message)?.[0]).sort(), [
    'aaaaaaaa',
    'bbbbbbbb',
    'notes',
  ]);
});
