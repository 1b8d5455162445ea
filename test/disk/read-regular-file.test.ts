import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readRegularFile } from '../../src/disk/read-regular-file.ts';
import { makeFifo } from '../support/a-pipe.ts';

t.test(
  'a file is read whole, up to its limit, also where it has grown since it was looked at',
  async (t) => {
    const folder = t.testdir({ text: 'größe', large: 'x'.repeat(10_000) });
    const text = join(folder, 'text');
    t.match(await readRegularFile(text, { bytesMax: 7 }), { text: 'größe' });
    await t.rejects(readRegularFile(text, { bytesMax: 6 }), {
      message: /at most 6 bytes, found 7/,
    });
    await t.rejects(readRegularFile(join(folder, 'none'), { bytesMax: 7 }), { code: 'ENOENT' });
    const grow = (bytes: number) => () => appendFileSync(text, 'y'.repeat(bytes));
    const grown = await readRegularFile(text, { bytesMax: 100, check: grow(3) });
    t.equal(grown.text, 'größeyyy');
    const growing = readRegularFile(text, { bytesMax: 100, check: grow(200) });
    await t.rejects(growing, { message: /stands still/ });
    const { text: large } = await readRegularFile(join(folder, 'large'), { bytesMax: 10_000 });
    t.equal(large.length, 10_000);
  },
);

t.test('what the caller finds wrong with a file ends the reading', async (t) => {
  const file = join(t.testdir({ file: 'secret' }), 'file');
  const check = ({ mode }: { readonly mode: number }) => {
    throw new Error(`mode ${mode & 0o777 ? 'set' : 'none'}`);
  };
  await t.rejects(readRegularFile(file, { bytesMax: 10, check }), { message: 'mode set' });
});

t.test('pipes, devices and folders are not read, and hold nothing up', async (t) => {
  const folder = t.testdir({});
  const pipe = join(folder, 'pipe');
  makeFifo(pipe);
  for (const path of [pipe, '/dev/zero', folder])
    await t.rejects(readRegularFile(path, { bytesMax: 10 }), {
      message: /expected a regular file/,
    });
});
