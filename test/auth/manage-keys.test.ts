import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readKeys, revokeKey } from '../../src/auth/manage-keys.ts';
import { aKey, aKeyFolder, aKeyStore } from './a-key-folder.ts';

t.test('keys are listed oldest first, and files that are none are named', async (t) => {
  const folder = await aKeyFolder(t);
  t.same(await readKeys(folder), { keys: [], problems: [] });
  const [first, second] = [
    await aKey(folder, { name: 'b', nowMs: 1 }),
    await aKey(folder, { name: 'a', nowMs: 2 }),
  ];
  await writeFile(join(folder, 'aaaaaaaa.json'), '{}', { mode: 0o600 });
  await chmod(join(folder, `${second.file.id}.json`), 0o604);
  const { keys, problems } = await readKeys(folder);
  t.strictSame(keys, [first.file]);
  t.equal(problems.length, 2);
});

t.test('a key is revoked once, and keeps what it was', async (t) => {
  const folder = await aKeyFolder(t);
  const { file } = await aKey(folder);
  t.strictSame(await revokeKey(folder, file.id, 5), { ...file, revokedMs: 5 });
  t.strictSame(await revokeKey(folder, file.id, 9), { ...file, revokedMs: 5 });
  await t.rejects(revokeKey(folder, 'aaaaaaaa', 5), { code: 'ENOENT' });
});

t.test('a name that does not fit into logs is refused', async (t) => {
  const folder = await aKeyFolder(t);
  for (const name of ['', 'a b', '../a', 'x'.repeat(65), 'ü', '-a'])
    await t.rejects(aKey(folder, { name }), /expected a name of letters/, name);
});

t.test('commands that make the first keys at the same time agree on one pepper', async (t) => {
  const folder = await aKeyFolder(t);
  const made = await Promise.all(Array.from({ length: 8 }, () => aKey(folder)));
  t.match(await readFile(join(folder, 'pepper'), 'utf8'), /^[0-9a-f]{64}\n$/);
  const { store } = await aKeyStore(t, folder);
  t.ok(made.every(({ key }) => store.check(key).kind === 'key'));
});
