import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { openUnnamed, removeStaleNames, SHARED_MEMORY } from '../../src/frame/unnamed-file.ts';

const MODULE = new URL('../../src/frame/unnamed-file.js', import.meta.url).href;
const LONG_AGO_S = 1_000_000_000;

/** A process that is killed at the moment when it would take a name away, if there is one. */
const KILLED_WHERE_NAMED = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const [, folder, named] = process.argv;
  const open = fs.openSync;
  fs.openSync = (path, flags, mode) => {
    if (named === 'named' && typeof flags === 'number') throw new Error('no such file system');
    return open(path, flags, mode);
  };
  fs.unlinkSync = () => process.kill(process.pid, 'SIGKILL');
  syncBuiltinESMExports();
  const { openUnnamed } = await import(${JSON.stringify(MODULE)});
  openUnnamed(folder);
`;

async function signalOf(folder: string, kind: 'named' | 'unnamed'): Promise<unknown> {
  const args = ['--input-type=module', '--eval', KILLED_WHERE_NAMED, folder, kind];
  const [, signal] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
  return signal;
}

t.test(
  'a file in shared memory never has a name',
  { skip: existsSync(SHARED_MEMORY) ? false : 'no shared memory' },
  async (t) => t.equal(await signalOf(SHARED_MEMORY, 'unnamed'), null),
);

t.test('where files need names, the name that a killed process leaves goes later', async (t) => {
  const folder = t.testdir();
  t.equal(await signalOf(folder, 'named'), 'SIGKILL');
  const [name = ''] = readdirSync(folder);
  await removeStaleNames(folder, systemClock);
  t.same(readdirSync(folder), [name], 'it may be about to be taken away');
  utimesSync(join(folder, name), LONG_AGO_S, LONG_AGO_S);
  await removeStaleNames(folder, systemClock);
  t.same(readdirSync(folder), []);
});

t.test('what is not ours stays', async (t) => {
  const uuid = '0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a';
  const others = ['understudy', 'understudy-model-abc', `understudy-${uuid}.txt`, `other-${uuid}`];
  const folder = t.testdir({ [`understudy-${uuid}`]: {} });
  for (const name of others) {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), LONG_AGO_S, LONG_AGO_S);
  }
  utimesSync(join(folder, `understudy-${uuid}`), LONG_AGO_S, LONG_AGO_S);
  await removeStaleNames(folder, systemClock);
  t.same(readdirSync(folder).sort(), [...others, `understudy-${uuid}`].sort(), 'a folder neither');
  await removeStaleNames(join(folder, 'missing'), systemClock);
});

t.test('a file without a name can be written and read, and is gone once closed', async (t) => {
  const folder = t.testdir();
  const fd = openUnnamed(folder);
  writeFileSync(fd, 'text');
  t.same(readdirSync(folder), []);
  closeSync(fd);
});
