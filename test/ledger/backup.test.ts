import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { backUpLedger } from '../../src/ledger/backup.ts';
import { openFileLedger, verifyLedger } from '../../src/ledger/file.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { aDisk, noDisk } from '../support/a-disk.ts';
import { until } from '../support/until.ts';

const WRITER = fileURLToPath(new URL('./endless-writer.js', import.meta.url));
const CHECKPOINT = { kind: 'checkpoint', form: 1, models: {} } as const;

async function add(ledger: Ledger, count: number): Promise<void> {
  const command = { kind: 'abort', model: 'm', reason: 'a reason' } as const;
  for (let at = 0; at < count; at += 1)
    await ledger.append({ kind: 'command', command, refused: undefined }, ledger.head());
}

async function aLedger(directory: string): Promise<void> {
  const ledger = await openFileLedger(directory, { clock: new HandClock() });
  await add(ledger, 3);
  await ledger.append(CHECKPOINT, ledger.head());
  await add(ledger, 2);
  await ledger.close();
}

t.test('copies made while a gateway writes, and is killed, are whole and go on', async (t) => {
  const root = t.testdir({ ledger: {} });
  const ledger = join(root, 'ledger');
  const child = spawn(process.execPath, [WRITER, ledger], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.teardown(() => child.kill('SIGKILL'));
  let acknowledged = -1;
  child.stdout.on('data', (data: Buffer) => {
    acknowledged = Number(data.toString().trimEnd().split('\n').at(-1));
  });
  for (let copy = 0; copy < 5; copy += 1) {
    const before = acknowledged;
    if (copy < 4) await until('more is written', () => acknowledged > before + 20);
    else await ended;
    const known = acknowledged;
    const { records, broken } = await backUpLedger(ledger, join(root, `copy-${copy}`), []);
    t.ok(broken === undefined && records > known, `${records} records, ${known} acknowledged`);
    if (copy === 3) child.kill('SIGKILL');
  }
  for (let copy = 0; copy < 5; copy += 1) {
    const restored = join(root, `restored-${copy}`);
    await cp(join(root, `copy-${copy}`), restored, { recursive: true });
    const next = await openFileLedger(restored, { clock: new HandClock() });
    await add(next, 1);
    await next.close();
    t.equal((await verifyLedger(restored)).broken, undefined);
  }
});

t.test('a copy has the secret with its mode, and nothing of the process that writes', async (t) => {
  const root = t.testdir({ ledger: {} });
  const [ledger, copy] = [join(root, 'ledger'), join(root, 'copy')];
  await aLedger(ledger);
  await mkdir(join(ledger, 'labels'));
  await writeFile(join(ledger, 'labels', 'secret'), 'x', { mode: 0o600 });
  const open = await openFileLedger(ledger, { clock: new HandClock() });
  await backUpLedger(ledger, copy, ['labels/secret', 'labels/none']);
  await open.close();
  t.same((await readdir(copy)).sort(), ['000000000000.jsonl', '000000000003.jsonl', 'labels']);
  t.equal((await stat(join(copy, 'labels', 'secret'))).mode & 0o777, 0o600);
});

t.test('a broken ledger, and a folder that is not new, give no copy', async (t) => {
  const root = t.testdir({ ledger: {}, used: { file: 'mine' } });
  const ledger = join(root, 'ledger');
  await aLedger(ledger);
  await t.rejects(backUpLedger(ledger, join(root, 'used'), []), /expected a new or empty folder/);
  const first = join(ledger, '000000000000.jsonl');
  await writeFile(first, (await readFile(first, 'utf8')).replace('a reason', 'b reason'));
  const { broken } = await backUpLedger(ledger, join(root, 'copy'), []);
  t.match(broken, { line: 1 });
  t.same((await readdir(root)).sort(), ['ledger', 'used']);
});

t.test('a full disk gives no copy', { skip: noDisk }, async (t) => {
  const root = t.testdir({ ledger: {} });
  const ledger = join(root, 'ledger');
  await aLedger(ledger);
  const disk = aDisk(t, 64);
  const release = await disk.fill();
  await t.rejects(backUpLedger(ledger, join(disk.path, 'copy'), []), { code: 'ENOSPC' });
  await release();
  t.same(await readdir(disk.path), []);
});

t.test('with its archive a ledger is read whole, wherever a move was interrupted', async (t) => {
  const root = t.testdir({ ledger: {}, archive: {} });
  const [ledger, archive] = [join(root, 'ledger'), join(root, 'archive')];
  await aLedger(ledger);
  const name = '000000000000.jsonl';
  await cp(join(ledger, name), join(archive, name));
  await truncate(join(archive, name), 100);
  t.match(
    await verifyLedger([ledger, archive]),
    { records: 6, broken: undefined },
    'cut off in the copy',
  );
  await cp(join(ledger, name), join(archive, name));
  t.match(await verifyLedger([ledger, archive]), { records: 6, broken: undefined });
  await rm(join(ledger, name));
  t.match(await verifyLedger([ledger, archive]), { records: 6, broken: undefined });
  t.match(await verifyLedger(ledger), { records: 3, archived: 3, broken: undefined });
  const next = await openFileLedger(ledger, { clock: new HandClock() });
  await add(next, 1);
  await next.close();
  t.match(await verifyLedger([ledger, archive]), { records: 7, broken: undefined });
});
