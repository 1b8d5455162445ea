import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Deferred, deferred } from '../../src/concurrency/deferred.ts';
import { HandClock } from '../../src/core/clock.ts';
import type { RecordBody } from '../../src/core/record.ts';
import { openFileLedger } from '../../src/ledger/file.ts';
import { LateLedger } from '../../src/ledger/late-ledger.ts';
import { GENESIS, type Ledger } from '../../src/ledger/ledger.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import { until } from '../support/until.ts';

const ABORT: RecordBody = {
  kind: 'command',
  command: { kind: 'abort', model: 'm', reason: 'a test' },
  refused: undefined,
};

function aLateLedger(): { late: LateLedger; opening: Deferred<Ledger>; clock: HandClock } {
  const [opening, clock] = [deferred<Ledger>(), new HandClock(5_000)];
  return { late: new LateLedger(opening.promise, clock), opening, clock };
}

async function readAll(ledger: Ledger): Promise<number> {
  let records = 0;
  for await (const _ of ledger.read()) records += 1;
  return records;
}

t.test('before it has been read a ledger takes no record, and says since when', async (t) => {
  const { late, opening, clock } = aLateLedger();
  clock.advance(12_300);
  const unread = {
    kind: 'degraded',
    cause: 'unread',
    why: 'the ledger has not been read to its end after 12.3 s, so that no route is known',
    sinceMs: 5_000,
  };
  t.same(late.health(), unread);
  t.equal(late.head(), GENESIS);
  await t.rejects(late.append(ABORT, GENESIS, { isUrgent: true }), { name: 'LedgerDegradedError' });
  opening.resolve(new MemoryLedger(clock));
  await opening.promise;
  await t.rejects(late.append(ABORT, GENESIS), { name: 'LedgerDegradedError' });
  t.same(late.health(), unread, 'also while what is opened is being read');
});

t.test('once it has been read it is the ledger that was opened', async (t) => {
  const { late, opening, clock } = aLateLedger();
  const memory = new MemoryLedger(clock);
  const first = await memory.append(ABORT, GENESIS);
  const reading = readAll(late);
  opening.resolve(memory);
  t.equal(await reading, 1);
  t.same(late.health(), { kind: 'healthy' });
  t.equal(late.head(), first.hash);
  const second = await late.append(ABORT, late.head());
  t.same([late.head(), late.lastMs()], [second.hash, second.atMs]);
});

t.test('what it cannot be opened for is thrown where it is read', async (t) => {
  const { late, opening } = aLateLedger();
  opening.reject(new Error('broken at line 3'));
  await t.rejects(readAll(late), { message: 'broken at line 3' });
  t.match(late.health(), { cause: 'unread' });
});

t.test('the end of the process waits for no disk, and what opens after it is closed', async (t) => {
  const { late, opening, clock } = aLateLedger();
  await late.close();
  const directory = join(t.testdir(), 'ledger');
  opening.resolve(await openFileLedger(directory, { clock }));
  await until('the ledger is free', () => !existsSync(join(directory, 'lock')));
});
