import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { LedgerRecord, RecordBody } from '../../src/core/record.ts';
import {
  openFileLedger,
  type Repair,
  readLedger,
  type SegmentHandle,
  verifyLedger,
} from '../../src/ledger/file.ts';
import {
  GENESIS,
  HeadMovedError,
  type Ledger,
  LedgerBrokenError,
  LedgerLockedError,
} from '../../src/ledger/ledger.ts';
import { until } from '../support/until.ts';

const clock = new HandClock();
const SEGMENT = '000000000000.jsonl';

async function aDirectory(test: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-ledger-'));
  test.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function aBody(reason: string): RecordBody {
  return { kind: 'command', command: { kind: 'abort', model: 'm', reason }, refused: undefined };
}

async function appendMany(ledger: Ledger, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await ledger.append(aBody(`number ${i}`), ledger.head());
}

async function aLedgerOf(directory: string, count: number): Promise<void> {
  const ledger = await openFileLedger(directory, { clock });
  await appendMany(ledger, count);
  await ledger.close();
}

async function collect(records: AsyncIterable<LedgerRecord>): Promise<readonly LedgerRecord[]> {
  const all: LedgerRecord[] = [];
  for await (const record of records) all.push(record);
  return all;
}

t.test('gives back what was appended, as a chain, over several files and openings', async (t) => {
  const directory = await aDirectory(t);
  const first = await openFileLedger(directory, { clock, segmentBytesMax: 600 });
  t.equal(first.head(), GENESIS);
  await appendMany(first, 5);
  await first.close();
  const second = await openFileLedger(directory, { clock, segmentBytesMax: 600 });
  await appendMany(second, 5);
  const records = await collect(second.read());
  t.equal(records.length, 10);
  t.same(
    records.map((record) => record.index),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  t.match(records[7]?.body, { kind: 'command', command: { reason: 'number 2' } });
  t.ok((await readdir(directory)).filter((name) => name.endsWith('.jsonl')).length > 2);
  t.same(await verifyLedger(directory), { records: 10, head: second.head(), broken: undefined });
  await second.close();
});

t.test('refuses an append that was decided on an older head, and adds nothing', async (t) => {
  const directory = await aDirectory(t);
  const ledger = await openFileLedger(directory, { clock });
  const results = await Promise.allSettled([
    ledger.append(aBody('one'), GENESIS),
    ledger.append(aBody('two'), GENESIS),
  ]);
  t.equal(results[0]?.status, 'fulfilled');
  t.match(results[1], { status: 'rejected', reason: new HeadMovedError(GENESIS, ledger.head()) });
  t.equal((await collect(ledger.read())).length, 1);
  await ledger.close();
  await t.rejects(ledger.append(aBody('three'), ledger.head()), /closed/);
});

// A power cut may leave any part of the last write. What came before it was acknowledged and stays.
t.test('repairs a last record cut at any byte and keeps all the others', async (t) => {
  const directory = await aDirectory(t);
  await aLedgerOf(directory, 3);
  const path = join(directory, SEGMENT);
  const whole = await readFile(path);
  const lastStart = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
  for (let length = lastStart; length < whole.length; length += 1) {
    await writeFile(path, whole.subarray(0, length));
    const repairs: Repair[] = [];
    const ledger = await openFileLedger(directory, { clock, onRepair: (it) => repairs.push(it) });
    // Only the line end is missing at the last length: the record is whole, and is kept.
    const kept = length === whole.length - 1 ? 3 : 2;
    const expected = length === lastStart ? [] : [kept === 3 ? 0 : length - lastStart];
    await ledger.append(aBody('after'), ledger.head());
    await ledger.close();
    const report = await verifyLedger(directory);
    const found = { cut: repairs.map((repair) => repair.cutBytes), report };
    const wanted = { cut: expected, report: { records: kept + 1, broken: undefined } };
    if (!t.match(found, wanted, `cut at byte ${length}`)) return;
  }
});

t.test('refuses to open after any changed byte, naming file and line', async (t) => {
  const directory = await aDirectory(t);
  await aLedgerOf(directory, 3);
  const path = join(directory, SEGMENT);
  const whole = await readFile(path);
  const secondStart = whole.indexOf(0x0a) + 1;
  const secondEnd = whole.indexOf(0x0a, secondStart);
  for (let at = secondStart; at < secondEnd; at += 7) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await writeFile(path, changed);
    const error = await openFileLedger(directory, { clock }).catch((thrown: unknown) => thrown);
    if (!t.match(error, { name: 'LedgerBrokenError', where: path, line: 2 }, `byte ${at}`)) return;
  }
  const broken = await verifyLedger(directory);
  t.match(broken, { records: 1, broken: { where: path, line: 2 } });
  // Nothing was repaired or cut by all these attempts.
  await writeFile(path, whole);
  t.match(await verifyLedger(directory), { records: 3, broken: undefined });
});

t.test('finds records that were dropped, swapped or put in by hand', async (t) => {
  const directory = await aDirectory(t);
  await aLedgerOf(directory, 4);
  const path = join(directory, SEGMENT);
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const [a, b, c, d] = lines;
  const twiceKeyed = b?.replace('{"atMs":', '{"atMs":5,"atMs":');
  for (const [forged, line] of [
    [[a, c, d], 2],
    [[b, c, d], 1],
    [[a, c, b, d], 2],
    [[a, b, b, c, d], 3],
    [[a, twiceKeyed, c, d], 2],
    [[a, '{}', c, d], 2],
    [[a, b, '', c], 3],
  ] as const) {
    await writeFile(path, `${forged.join('\n')}\n`);
    const error = await openFileLedger(directory, { clock }).catch((thrown: unknown) => thrown);
    t.ok(error instanceof LedgerBrokenError && error.line === line, String(error));
  }
  await writeFile(path, `${lines.join('\n')}\n`);
  await truncate(path, (await readFile(path)).length - 10);
  await writeFile(join(directory, '000000000004.jsonl'), '');
  await t.rejects(openFileLedger(directory, { clock }), LedgerBrokenError);
});

t.test('lets one live process write, and takes over from a dead one', async (t) => {
  const directory = await aDirectory(t);
  const ledger = await openFileLedger(directory, { clock });
  const refused = await openFileLedger(directory, { clock }).catch((thrown: unknown) => thrown);
  t.ok(refused instanceof LedgerLockedError && refused.pid === process.pid);
  t.match(await verifyLedger(directory), { records: 0 }, 'a reader needs no lock');
  await ledger.close();
  // The id is that of a live process, yet it was another one that wrote the lock.
  const stale = [
    JSON.stringify({ pid: process.pid, startTicks: '1' }),
    JSON.stringify({ pid: 4_194_304, startTicks: '1' }),
    'half of a lo',
  ];
  for (const lock of stale) {
    await writeFile(join(directory, 'lock'), lock);
    await (await openFileLedger(directory, { clock })).close();
  }
  t.same(await readdir(directory), [], 'no lock is left behind');
});

t.test('a lock that names no single process holds nothing', async (t) => {
  const directory = await aDirectory(t);
  // Signals to 0, -1 and the like reach whole groups of processes, so "alive" would be said of them for ever.
  const pids = ['0', '-1', String(-process.pid), '1.5', '1e300', 'null', `"${process.pid}"`, '[1]'];
  const locks = [...pids.map((pid) => `{"pid":${pid}}`), '', '\0\0\0', 'null', '7', '[]', '{}'];
  for (const lock of locks) {
    await writeFile(join(directory, 'lock'), lock);
    const opened = openFileLedger(directory, { clock });
    await t.resolves(opened, JSON.stringify(lock));
    await (await opened).close();
  }
  t.same(await readdir(directory), []);
});

t.test('stops writing when another writer got past the lock', async (t) => {
  const directory = await aDirectory(t);
  const ledger = await openFileLedger(directory, { clock });
  await appendMany(ledger, 1);
  await appendFile(join(directory, SEGMENT), 'x');
  await t.rejects(ledger.append(aBody('two'), ledger.head()), HeadMovedError);
  await ledger.close();
});

t.test('loses only the record that a full disk did not take', async (t) => {
  const directory = await aDirectory(t);
  const disk = { freeBytes: 700 };
  const openFile = async (path: string): Promise<SegmentHandle> => aSmallDisk(path, disk);
  const ledger = await openFileLedger(directory, { clock, openFile, watchMs: 5 });
  await appendMany(ledger, 2);
  await t.rejects(ledger.append(aBody('x'.repeat(500)), ledger.head()), /ENOSPC/);
  t.match(ledger.health(), { kind: 'degraded', cause: 'full' });
  await t.rejects(ledger.append(aBody('y'.repeat(500)), ledger.head()), /ENOSPC/);
  t.match(await verifyLedger(directory), { records: 2, broken: undefined });
  disk.freeBytes = 10_000;
  await until('it takes records again', () => ledger.health().kind === 'healthy');
  await appendMany(ledger, 2);
  await ledger.close();
  t.match(await verifyLedger(directory), { records: 4, broken: undefined });
});

/** A file that takes only so many bytes: what fits is written, the rest fails, as on a full disk. */
async function aSmallDisk(path: string, disk: { freeBytes: number }): Promise<SegmentHandle> {
  const handle = await open(path, 'a');
  return {
    appendFile: async (data) => {
      const bytes = Buffer.from(data as Uint8Array);
      const fits = bytes.subarray(0, disk.freeBytes);
      await handle.appendFile(fits);
      disk.freeBytes -= fits.length;
      if (fits.length < bytes.length) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    },
    sync: () => handle.sync(),
    stat: () => handle.stat(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  } as SegmentHandle;
}

t.test('keeps every acknowledged record of a writer killed at any moment', async (t) => {
  const directory = await aDirectory(t);
  const writer = fileURLToPath(new URL('./endless-writer.js', import.meta.url));
  let acknowledged = 0;
  for (let round = 0; round < 4; round += 1) {
    const child = spawn(process.execPath, [writer, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      lines += 1;
      if (lines === 20 + 7 * round) child.kill('SIGKILL');
    }
    if (child.signalCode === null) await once(child, 'exit');
    t.equal(child.signalCode, 'SIGKILL');
    const ledger = await openFileLedger(directory, { clock });
    const records = await collect(ledger.read());
    await ledger.close();
    t.ok(records.length > acknowledged, `${records.length} records, ${acknowledged} acknowledged`);
    t.match(await verifyLedger(directory), { broken: undefined });
  }
  t.ok((await collect(readLedger(directory))).length > 100);
});

t.test('a folder that the file system does not take is refused, and nothing hangs', async (t) => {
  const opening = openFileLedger('/proc/no/ledger', { clock: new HandClock() });
  await t.rejects(opening, { code: 'ENOENT' });
});
