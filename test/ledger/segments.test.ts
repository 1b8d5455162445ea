import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { LedgerRecord, RecordBody } from '../../src/core/record.ts';
import { type FileLedgerOptions, openFileLedger, verifyLedger } from '../../src/ledger/file.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';

const CHECKPOINT: RecordBody = { kind: 'checkpoint', form: 1, models: {} };
const DAY_MS = 86_400_000;

function aBody(reason: string): RecordBody {
  return { kind: 'command', command: { kind: 'abort', model: 'm', reason }, refused: undefined };
}

async function add(ledger: Ledger, ...bodies: readonly RecordBody[]): Promise<void> {
  for (const body of bodies) await ledger.append(body, ledger.head());
}

async function indexes(records: AsyncIterable<LedgerRecord>): Promise<readonly number[]> {
  const all: number[] = [];
  for await (const { index } of records) all.push(index);
  return all;
}

async function filesOf(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).sort();
}

function opened(directory: string, options: Partial<FileLedgerOptions> = {}): Promise<Ledger> {
  return openFileLedger(directory, { clock: new HandClock(), ...options });
}

/** Two records, a checkpoint, a record. */
async function aLedger(directory: string): Promise<void> {
  const ledger = await opened(directory);
  await add(ledger, aBody('one'), aBody('two'), CHECKPOINT, aBody('three'));
  await ledger.close();
}

t.test('a checkpoint begins a file, and reading can begin with it', async (t) => {
  const directory = t.testdir();
  await aLedger(directory);
  t.same(await filesOf(directory), ['000000000000.jsonl', '000000000002.jsonl']);
  const ledger = await opened(directory);
  t.same(await indexes(ledger.read('checkpoint')), [2, 3]);
  t.same(await indexes(ledger.read()), [0, 1, 2, 3]);
  const files = await Promise.all(
    (await filesOf(directory)).map((name) => readFile(join(directory, name))),
  );
  const bytes = files.reduce((sum, file) => sum + file.length, 0);
  t.same(ledger.size(), { records: 4, bytes });
  await add(ledger, aBody('four'));
  t.equal(ledger.size().records, 5);
  t.ok(ledger.size().bytes > bytes);
  await ledger.close();
});

t.test(
  'a start reads no file before the last checkpoint; verify finds what was changed there',
  async (t) => {
    const directory = t.testdir();
    await aLedger(directory);
    const first = join(directory, '000000000000.jsonl');
    await writeFile(first, (await readFile(first, 'utf8')).replace('"two"', '"owt"'));
    const ledger = await opened(directory);
    t.equal(ledger.health().kind, 'healthy');
    await ledger.close();
    t.match(await verifyLedger(directory), { records: 1, broken: { where: first, line: 2 } });
  },
);

t.test(
  'a checkpoint that was never finished is cut, and reading begins with the one before',
  async (t) => {
    const directory = t.testdir();
    await aLedger(directory);
    const ledger = await opened(directory);
    await add(ledger, CHECKPOINT);
    await ledger.close();
    const last = join(directory, '000000000004.jsonl');
    await truncate(last, 150);
    const repairs: string[] = [];
    const again = await opened(directory, { onRepair: ({ file }) => repairs.push(file) });
    t.same([repairs, again.size().records], [[last], 4]);
    await add(again, CHECKPOINT, aBody('five'));
    t.same(await indexes(again.read('checkpoint')), [4, 5]);
    await again.close();
    t.match(await verifyLedger(directory), { records: 6, broken: undefined });
  },
);

t.test('a checkpoint is due after so many bytes, four times its own at least', async (t) => {
  const ledger = await opened(t.testdir(), { segmentBytesMax: 600 });
  t.equal(ledger.isCheckpointDue(), false);
  await add(ledger, aBody('one'), aBody('two'));
  t.equal(ledger.isCheckpointDue(), false);
  await add(ledger, aBody('three'));
  t.equal(ledger.isCheckpointDue(), true);
  await add(ledger, CHECKPOINT);
  t.equal(ledger.isCheckpointDue(), false);
  const large = { ...CHECKPOINT, models: { ['m'.repeat(1_000)]: {} } } as unknown as RecordBody;
  await add(ledger, large, ...Array.from({ length: 10 }, () => aBody('more')));
  t.equal(ledger.isCheckpointDue(), false, 'ten records are less than four large checkpoints');
  await add(ledger, ...Array.from({ length: 20 }, () => aBody('more')));
  t.equal(ledger.isCheckpointDue(), true);
  await ledger.close();
});

t.test('a checkpoint is due after a month with records, also over restarts', async (t) => {
  const directory = t.testdir();
  const clock = new HandClock();
  const first = await opened(directory, { clock });
  await add(first, aBody('one'));
  clock.advance(29 * DAY_MS);
  t.equal(first.isCheckpointDue(), false);
  await first.close();
  const second = await opened(directory, { clock });
  clock.advance(2 * DAY_MS);
  t.equal(second.isCheckpointDue(), true);
  await add(second, CHECKPOINT);
  clock.advance(60 * DAY_MS);
  t.equal(second.isCheckpointDue(), false, 'nothing was recorded since');
  await second.close();
});

// The first crash came after the next file was begun and before anything was in it; a start went on in the file before, and the
// second crash came in the middle of a record there.
t.test('an empty newest file hides no torn end of the file before', async (t) => {
  const directory = t.testdir();
  await aLedger(directory);
  const torn = join(directory, '000000000002.jsonl');
  const { length } = await readFile(torn);
  await truncate(torn, length - 5);
  for (const name of ['000000000003.jsonl', '000000000004.jsonl'])
    await writeFile(join(directory, name), '');
  const ledger = await opened(directory, { segmentBytesMax: 1 });
  t.same(await indexes(ledger.read()), [0, 1, 2], 'the torn record was never acknowledged');
  await add(ledger, aBody('again'), aBody('more'), aBody('most'));
  await ledger.close();
  const again = await opened(directory);
  t.same(await indexes(again.read()), [0, 1, 2, 3, 4, 5]);
  await again.close();
  t.match(await verifyLedger(directory), { records: 6 });
});
