import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectory } from '../../src/disk/make-directory.ts';

t.test('a directory is made with those above it, and one that is there stays', async (t) => {
  const root = t.testdir();
  await makeDirectory(join(root, 'a/b/c'));
  await writeFile(join(root, 'a/b/c/file'), '');
  await makeDirectory(join(root, 'a/b/c'));
  t.same(await readdir(join(root, 'a/b/c')), ['file']);
  await t.resolves(Promise.all([1, 2, 3].map(() => makeDirectory(join(root, 'd/e/f')))));
});

t.test('a link to a directory is one', async (t) => {
  const root = t.testdir();
  await mkdir(join(root, 'real'));
  await symlink('real', join(root, 'link'));
  await makeDirectory(join(root, 'link/below'));
  t.same(await readdir(join(root, 'real')), ['below']);
});

t.test('a file that is in the way is left alone', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file');
  await t.rejects(makeDirectory(file), { code: 'EEXIST' });
  await t.rejects(makeDirectory(join(file, 'below')), { code: 'ENOTDIR' });
});

// Node's own `recursive` never returns from there, and keeps a processor busy.
t.test('a file system that takes no directory says so', async (t) => {
  await t.rejects(makeDirectory('/proc/understudy'), { code: 'ENOENT' });
  await t.rejects(makeDirectory('/proc/understudy/below/it'), { code: 'ENOENT' });
});
