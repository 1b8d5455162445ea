import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ledgerLifetime } from '../../src/ledger/ledger-lifetime.ts';

const SHARED_MEMORY = '/dev/shm';
const inMemory = existsSync(SHARED_MEMORY)
  ? {}
  : { skip: 'no file system in memory is known here' };

t.test('a folder in memory is known as one, and one that is absent is not', inMemory, async (t) => {
  const folder = await mkdtemp(join(SHARED_MEMORY, 'understudy-ledger-'));
  t.teardown(() => rm(folder, { recursive: true }));
  t.equal(await ledgerLifetime(folder), 'in memory (tmpfs)');
  t.equal(await ledgerLifetime(join(folder, 'absent')), 'unknown');
});
