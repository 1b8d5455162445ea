import { readdir } from 'node:fs/promises';
import t from 'tap';
import { checkWritable } from '../../src/disk/check-writable.ts';

t.test('nothing is left in a directory that can be written to', async (t) => {
  const directory = t.testdir();
  await checkWritable(directory);
  t.same(await readdir(directory), []);
});

// Permissions let root write there; the file system does not.
t.test('one of a file system that takes no files is refused', async (t) => {
  await t.rejects(checkWritable('/proc/sys'), { code: /^E/ });
});
