import { mkdir, mkdtemp, open, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Deferred, deferred } from '../../src/concurrency/deferred.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { RecordBody } from '../../src/core/record.ts';
import { type FileLedgerOptions, openFileLedger, verifyLedger } from '../../src/ledger/file.ts';
import type { Ledger, LedgerHealth } from '../../src/ledger/ledger.ts';
import { openForAppending, type SegmentHandle } from '../../src/ledger/segment.ts';
import { aDisk, aFreezableDisk, noDisk, noFreezableDisk } from '../support/a-disk.ts';
import { aHungFile } from '../support/a-pipe.ts';
import { until } from '../support/until.ts';

const SEGMENT = '000000000000.jsonl';
const URGENT = { isUrgent: true };

type Opened = {
  readonly ledger: Ledger;
  readonly told: LedgerHealth[];
  readonly repairs: string[];
};

/** A ledger that looks at its files often. Closed when the test has ended. */
async function aLedger(
  t: Test,
  directory: string,
  options: Partial<FileLedgerOptions> = {},
): Promise<Opened> {
  const [told, repairs]: [LedgerHealth[], string[]] = [[], []];
  const ledger = await openFileLedger(directory, {
    clock: systemClock,
    watchMs: 10,
    onHealth: (health) => told.push(health),
    onRepair: ({ message }) => repairs.push(message),
    ...options,
  });
  t.teardown(() => ledger.close());
  return { ledger, told, repairs };
}

async function aFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-faults-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function aBody(reason: string): RecordBody {
  return { kind: 'command', command: { kind: 'abort', model: 'm', reason }, refused: undefined };
}

function add(ledger: Ledger, reason: string, options?: typeof URGENT) {
  return ledger.append(aBody(reason), ledger.head(), options);
}

async function recovered(ledger: Ledger): Promise<void> {
  await until('the ledger takes records again', () => ledger.health().kind === 'healthy');
}

async function degraded(ledger: Ledger, cause: string): Promise<void> {
  await until(`the ledger is degraded: ${cause}`, () => {
    const health = ledger.health();
    return health.kind === 'degraded' && health.cause === cause;
  });
}

const ON_DISK = { skip: noDisk };

t.test('a full disk takes the urgent record from its reserve, and no other', ON_DISK, async (t) => {
  const disk = aDisk(t, 1_024);
  const directory = join(disk.path, 'ledger');
  const { ledger, told } = await aLedger(t, directory);
  await add(ledger, 'one');
  const empty = await disk.fill();
  // What is left of the last page may still take one.
  await t.rejects(add(ledger, 'x'.repeat(8_192)), { code: 'ENOSPC' });
  t.match(ledger.health(), { kind: 'degraded', cause: 'full', why: /no space/ });
  await t.rejects(add(ledger, 'two'), { name: 'LedgerDegradedError' });
  await t.resolves(add(ledger, 'an end'.repeat(2_000), URGENT));
  t.match(await verifyLedger(directory), { records: 2, broken: undefined });
  t.equal(ledger.health().kind, 'degraded', 'the reserve is gone');
  await empty();
  await recovered(ledger);
  await add(ledger, 'three');
  t.match(await verifyLedger(directory), { records: 3, broken: undefined });
  t.ok((await readdir(directory)).includes('reserve'), 'and is held again');
  t.same(
    told.map(({ kind }) => kind),
    ['degraded', 'healthy'],
    'each is reported once',
  );
});

t.test('a disk that stays full is reported once, however often it is tried', ON_DISK, async (t) => {
  const disk = aDisk(t, 1_024);
  const { ledger, told } = await aLedger(t, join(disk.path, 'ledger'));
  await disk.fill();
  await t.rejects(add(ledger, 'x'.repeat(8_192)), { code: 'ENOSPC' });
  for (let at = 0; at < 20; at += 1) {
    await t.rejects(add(ledger, 'x'.repeat(300_000), URGENT));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.equal(told.length, 1);
});

t.test(
  'a disk that turned read-only is degraded, and recovers when it can be written',
  ON_DISK,
  async (t) => {
    const disk = aDisk(t, 1_024);
    const directory = join(disk.path, 'ledger');
    const first = await aLedger(t, directory);
    await add(first.ledger, 'one');
    await first.ledger.close();
    disk.remount('ro');
    const { ledger, told } = await aLedger(t, directory);
    t.match(ledger.health(), { kind: 'degraded', cause: 'readOnly' }, 'it can be opened and read');
    await t.rejects(add(ledger, 'two', URGENT), { name: 'LedgerDegradedError' });
    disk.remount('rw');
    await recovered(ledger);
    await add(ledger, 'two');
    t.match(await verifyLedger(directory), { records: 2, broken: undefined });
    t.equal(told.length, 2);
  },
);

t.test(
  'an empty ledger that cannot be written is not opened: nothing says who gets what',
  ON_DISK,
  async (t) => {
    const disk = aDisk(t, 1_024);
    const directory = join(disk.path, 'ledger');
    disk.remount('ro');
    await t.rejects(openFileLedger(directory, { clock: systemClock }), { code: 'EROFS' });
    const inTheWay = join(await aFolder(t), 'file');
    await writeFile(inTheWay, '');
    await t.rejects(openFileLedger(join(inTheWay, 'ledger'), { clock: systemClock }), {
      code: 'ENOTDIR',
    });
  },
);

/** Opens files whose fsync does not come back while the gate is there. */
function aSlowDisk(): { gate: Deferred<void> | undefined; openFile: typeof openForAppending } {
  const disk = {
    gate: undefined as Deferred<void> | undefined,
    openFile: async (path: string): Promise<SegmentHandle> => {
      const handle = await openForAppending(path);
      const sync = async (): Promise<void> => {
        await disk.gate?.promise;
        await handle.sync();
      };
      return new Proxy(handle, {
        get: (target, name) => {
          if (name === 'sync') return sync;
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
  return disk;
}

t.test(
  'a disk that does not answer keeps no caller, and what it wrote late does not count',
  async (t) => {
    const directory = await aFolder(t);
    const disk = aSlowDisk();
    const { ledger, told } = await aLedger(t, directory, { ...disk, appendMsMax: 100 });
    await add(ledger, 'one');
    disk.gate = deferred();
    const waiting = [add(ledger, 'two'), add(ledger, 'three', URGENT)];
    const ends = await Promise.allSettled(waiting);
    t.match(ends, [{ reason: { name: 'DiskHungError' } }, { reason: { name: 'DiskHungError' } }]);
    t.match(ledger.health(), { kind: 'degraded', cause: 'hung' });
    const startMs = performance.now();
    await t.rejects(add(ledger, 'four', URGENT), { name: 'LedgerDegradedError' });
    t.ok(performance.now() - startMs < 100, 'the next caller is answered immediately');
    const { gate } = disk;
    disk.gate = undefined;
    gate.resolve();
    await recovered(ledger);
    await add(ledger, 'five');
    t.match(await verifyLedger(directory), { records: 2, broken: undefined });
    t.same(told.length, 2);
  },
);

t.test(
  'a ledger whose disk takes no writes at the start is opened, and taken over late',
  { skip: noFreezableDisk },
  async (t) => {
    const disk = aFreezableDisk(t, 4_096);
    const directory = join(disk.path, 'ledger');
    const first = await aLedger(t, directory);
    await add(first.ledger, 'one');
    await first.ledger.close();
    const thaw = disk.freeze();
    const { ledger } = await aLedger(t, directory, { appendMsMax: 500 });
    t.match(ledger.health(), { kind: 'degraded', cause: 'hung' });
    t.equal(ledger.head(), first.ledger.head(), 'what it holds is known');
    await t.rejects(add(ledger, 'two', URGENT), { name: 'LedgerDegradedError' });
    thaw();
    await recovered(ledger);
    await add(ledger, 'two');
    t.match(await verifyLedger(directory), { records: 2, broken: undefined });
  },
);

t.test('a ledger on a disk that does not answer can be closed', async (t) => {
  const disk = aSlowDisk();
  const { ledger } = await aLedger(t, await aFolder(t), { ...disk, appendMsMax: 50 });
  disk.gate = deferred();
  t.teardown(() => disk.gate?.resolve());
  await t.rejects(add(ledger, 'one'), { name: 'DiskHungError' });
  await t.resolves(ledger.close());
});

t.test('a file or folder that is deleted under the ledger is written again, whole', async (t) => {
  const directory = join(await aFolder(t), 'ledger');
  const { ledger, told, repairs } = await aLedger(t, directory);
  await add(ledger, 'one');
  for (const what of [join(directory, SEGMENT), directory]) {
    const before = told.length;
    await rm(what, { recursive: true });
    await until('it is noticed and repaired', () => told.length >= before + 2);
    t.match(told.slice(before), [{ kind: 'degraded', cause: 'gone' }, { kind: 'healthy' }]);
    await add(ledger, `after ${what}`);
  }
  t.match(await verifyLedger(directory), { records: 3, broken: undefined });
  t.match(repairs, [/was deleted, and is written again/, /was deleted, and is written again/]);
  await ledger.close();
  t.same(await readdir(directory), [SEGMENT]);
});

t.test('a file in the place of the folder is reported once, however it shows', async (t) => {
  const directory = join(await aFolder(t), 'ledger');
  const { ledger, told } = await aLedger(t, directory);
  await add(ledger, 'one');
  // Deleted where it is not looked for: a folder may be written again before a file is in its place.
  await rename(directory, `${directory}.aside`);
  await writeFile(directory, '');
  await rm(`${directory}.aside`, { recursive: true });
  await until('it has tried to recover', () => {
    const health = ledger.health();
    return health.kind === 'degraded' && /EEXIST|ENOTDIR/.test(health.why);
  });
  await t.rejects(add(ledger, 'two', URGENT));
  await until('it has tried again', () => {
    const health = ledger.health();
    return health.kind === 'degraded' && /EEXIST|ENOTDIR/.test(health.why);
  });
  t.equal(told.length, 1);
  await rm(directory);
  await recovered(ledger);
  t.match(await verifyLedger(directory), { records: 1, broken: undefined });
});

t.test('a deletion is noticed by the next record, before it is written', async (t) => {
  const directory = await aFolder(t);
  const { ledger } = await aLedger(t, directory, { watchMs: 60_000 });
  await add(ledger, 'one');
  await rm(join(directory, SEGMENT));
  await t.rejects(add(ledger, 'two', URGENT), { name: 'LedgerGoneError', message: /deleted$/ });
});

t.test('what was moved away, replaced or cut is waited for, and never written over', async (t) => {
  const directory = await aFolder(t);
  const { ledger } = await aLedger(t, directory);
  const path = join(directory, SEGMENT);
  const aside = join(directory, 'aside');
  await add(ledger, 'one');
  await rename(path, aside);
  await degraded(ledger, 'gone');
  await writeFile(path, 'something else');
  await t.rejects(add(ledger, 'two', URGENT));
  await rm(path);
  await rename(aside, path);
  await recovered(ledger);
  const whole = await readFileOf(path);
  await truncate(path, 10);
  await degraded(ledger, 'gone');
  t.match(ledger.health(), { why: /Put the files back from a copy|cut short/ });
  await writeFile(path, whole);
  await recovered(ledger);
  await add(ledger, 'two');
  t.match(await verifyLedger(directory), { records: 2, broken: undefined });
});

t.test('older files are not held: without them the ledger waits for a copy', async (t) => {
  const directory = await aFolder(t);
  const { ledger } = await aLedger(t, directory, { segmentBytesMax: 300 });
  for (const reason of ['one', 'two', 'three']) await add(ledger, reason);
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).sort();
  const older = names.slice(0, -1).map((name) => join(directory, name));
  t.ok(older.length > 0);
  const copies = await Promise.all(older.map(readFileOf));
  await rm(directory, { recursive: true });
  await degraded(ledger, 'gone');
  await until('what can be written again is there', async () => {
    const found: readonly string[] = await readdir(directory).catch(() => []);
    return found.includes(names.at(-1) ?? '');
  });
  t.equal(ledger.health().kind, 'degraded');
  await Promise.all(older.map((path, at) => writeFile(path, copies[at] ?? '')));
  await recovered(ledger);
  await add(ledger, 'four');
  t.match(await verifyLedger(directory), { records: 4, broken: undefined });
});

async function readFileOf(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

t.test('a ledger that another process began in its place stays with it', async (t) => {
  const folder = await aFolder(t);
  const directory = join(folder, 'ledger');
  const { ledger } = await aLedger(t, directory);
  await add(ledger, 'one');
  await mkdir(join(folder, 'another'));
  await writeFile(join(folder, 'another', 'lock'), JSON.stringify({ pid: process.ppid }));
  await rename(directory, join(folder, 'aside'));
  await rename(join(folder, 'another'), directory);
  await until('it has tried to recover', () => {
    const health = ledger.health();
    return health.kind === 'degraded' && /in use by process/.test(health.why);
  });
  await t.rejects(add(ledger, 'two', URGENT));
  t.same(await readdir(directory), ['lock']);
});

t.test('a lock that cannot be read in time holds no ledger that has records', async (t) => {
  const directory = await aFolder(t);
  const { ledger: before } = await aLedger(t, directory);
  await add(before, 'one');
  await before.close();
  const lock = aHungFile(t, join(directory, 'lock'));
  const { ledger, told } = await aLedger(t, directory, { appendMsMax: 50 });
  t.match(told, [{ kind: 'degraded', cause: 'hung' }]);
  await t.rejects(add(ledger, 'two', URGENT), { name: 'LedgerDegradedError' });
  lock.end();
  await recovered(ledger);
  await t.resolves(add(ledger, 'two'));
  t.match(await verifyLedger(directory), { records: 2, broken: undefined });
});

t.test('an empty folder whose disk was only late is opened once it answers', async (t) => {
  const directory = await aFolder(t);
  const [lock, segment] = ['lock', SEGMENT].map((name) => aHungFile(t, join(directory, name)));
  const sinceMs = performance.now();
  const opening = aLedger(t, directory, { appendMsMax: 200 });
  await until('the lock is waited for no longer', () => performance.now() - sinceMs > 300);
  lock?.end();
  segment?.end();
  const { ledger } = await opening;
  await recovered(ledger);
  await add(ledger, 'one');
  t.match(await verifyLedger(directory), { records: 1, broken: undefined });
});
