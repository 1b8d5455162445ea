import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  complaintOf,
  folderComplaintOf,
  readPrivateFile,
  writeFirstPrivateFile,
  writePrivateFile,
} from '../../src/auth/private-file.ts';

async function aFolder(t: { readonly teardown: (work: () => unknown) => void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-private-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

t.test('a file that others may read or change is refused', async (t) => {
  const own = (mode: number) => complaintOf({ mode, uid: 1000 }, 1000);
  for (const mode of [0o100600, 0o100400]) t.equal(own(mode), undefined);
  for (const mode of [0o100640, 0o100604, 0o100660, 0o100602, 0o100777])
    t.match(own(mode), /expected permissions 0600/, mode.toString(8));
  t.match(complaintOf({ mode: 0o100600, uid: 1001 }, 1000), /found one of user 1001/);
});

t.test('a secret of root that the group of a service may read is taken', async (t) => {
  t.equal(complaintOf({ mode: 0o100440, uid: 0 }, 1000), undefined);
  t.match(complaintOf({ mode: 0o100444, uid: 0 }, 1000), /found 0444/);
  t.match(complaintOf({ mode: 0o100460, uid: 0 }, 1000), /found 0460/);
});

t.test('a folder that others may write to is refused', async (t) => {
  for (const mode of [0o40700, 0o40755])
    t.equal(folderComplaintOf({ mode, uid: 1000 }, 1000), undefined);
  for (const mode of [0o40775, 0o40707])
    t.match(folderComplaintOf({ mode, uid: 1000 }, 1000), /chmod 700/);
  t.match(folderComplaintOf({ mode: 0o40700, uid: 5 }, 1000), /found one of user 5/);
});

t.test('a file is written whole, for its owner alone, over the one before', async (t) => {
  const path = join(await aFolder(t), 'a');
  await writePrivateFile(path, 'one');
  await writePrivateFile(path, 'two');
  t.equal(await readPrivateFile(path, 10), 'two');
  t.equal((await stat(path)).mode & 0o777, 0o600);
  await writeFirstPrivateFile(path, 'three');
  t.equal(await readFile(path, 'utf8'), 'two');
});

t.test('what is no file, or too large, is not read', async (t) => {
  const folder = await aFolder(t);
  await t.rejects(readPrivateFile(folder, 10));
  await t.rejects(readPrivateFile('/dev/zero', 10), /expected a regular file/);
  const path = join(folder, 'a');
  await writeFile(path, 'x'.repeat(11), { mode: 0o600 });
  await t.rejects(readPrivateFile(path, 10), /expected at most 10 bytes, found 11/);
  await symlink(path, join(folder, 'link'));
  t.equal(await readPrivateFile(join(folder, 'link'), 11), 'x'.repeat(11));
});
