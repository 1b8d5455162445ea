import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LineFile } from '../../src/telemetry/line-file.ts';
import { makeFifo } from '../support/a-pipe.ts';
import { until } from '../support/until.ts';

function aFile(path: string, bytesMax?: number) {
  const seen = { dropped: 0, states: [] as unknown[] };
  const file = new LineFile({
    path,
    onDropped: (lines) => {
      seen.dropped += lines;
    },
    onState: (problem) => seen.states.push(problem),
    ...(bytesMax !== undefined && { bytesMax }),
  });
  return { file, seen };
}

function pathIn(t: Test, name = 'access.log'): string {
  return join(t.testdir(), name);
}

t.test('lines are appended in order, also behind what is there', async (t) => {
  const path = pathIn(t);
  for (const part of ['a', 'b']) {
    const { file } = aFile(path);
    for (let at = 0; at < 3; at += 1) file.write(`${part}${at}\n`);
    await file.close();
  }
  t.equal(readFileSync(path, 'utf8'), 'a0\na1\na2\nb0\nb1\nb2\n');
});

t.test('after a rename lines stay with the old file until it is reopened', async (t) => {
  const path = pathIn(t);
  const { file, seen } = aFile(path);
  file.write('one\n');
  await until('it is written', () => existsSync(path) && readFileSync(path, 'utf8') === 'one\n');
  renameSync(path, `${path}.1`);
  file.write('two\n');
  await until('it is written', () => readFileSync(`${path}.1`, 'utf8') === 'one\ntwo\n');
  file.reopen();
  await until('there is a new one', () => existsSync(path));
  file.write('three\n');
  await file.close();
  t.equal(readFileSync(`${path}.1`, 'utf8'), 'one\ntwo\n');
  t.equal(readFileSync(path, 'utf8'), 'three\n');
  t.same(seen, { dropped: 0, states: [] });
});

t.test(
  'where there can be no new file the old one stays in use, and it is said once',
  async (t) => {
    const folder = join(t.testdir(), 'logs');
    mkdirSync(folder);
    const path = join(folder, 'access.log');
    const { file, seen } = aFile(path);
    file.write('one\n');
    await until('it is written', () => existsSync(path));
    renameSync(folder, `${folder}.old`);
    file.reopen();
    file.write('two\n');
    await until('it is said', () => seen.states.length === 1);
    t.match(String(seen.states[0]), /ENOENT/);
    mkdirSync(folder);
    file.write('three\n');
    await until('it is made again', () => existsSync(path));
    await file.close();
    t.equal(readFileSync(join(`${folder}.old`, 'access.log'), 'utf8'), 'one\ntwo\n');
    t.equal(readFileSync(path, 'utf8'), 'three\n');
    t.same(seen.states.slice(1), [undefined]);
    t.equal(seen.dropped, 0);
  },
);

t.test('a full disk loses lines, which are counted, and no write throws', async (t) => {
  const { file, seen } = aFile('/dev/full');
  file.write('one\n');
  await until('it is counted', () => seen.dropped === 1);
  file.write('two\n');
  await file.close();
  t.equal(seen.dropped, 2);
  t.equal(seen.states.length, 1);
  t.match(String(seen.states[0]), /ENOSPC/);
});

t.test('a folder that is gone loses lines until it is back', async (t) => {
  const folder = join(t.testdir(), 'gone');
  const path = join(folder, 'access.log');
  const { file, seen } = aFile(path);
  file.write('one\n');
  await until('it is counted', () => seen.dropped === 1);
  mkdirSync(folder);
  file.write('two\n');
  await file.close();
  t.equal(readFileSync(path, 'utf8'), 'two\n');
  rmSync(folder, { recursive: true });
});

t.test('a disk that hangs holds what fits, and the rest is counted', async (t) => {
  const path = pathIn(t, 'pipe');
  makeFifo(path);
  const { file, seen } = aFile(path, 100);
  // It opens for no one before somebody reads.
  file.write('1'.repeat(60));
  t.equal(seen.dropped, 0);
  await until('the limit holds while it hangs', () => {
    file.write('2'.repeat(60));
    return seen.dropped >= 3;
  });
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  await file.close();
  closeSync(reader);
  t.pass('what waited was written or lost once it went on');
});
