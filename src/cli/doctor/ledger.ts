import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { within } from '../../concurrency/within.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { checkWritable } from '../../disk/check-writable.ts';
import { holderOf } from '../../ledger/lock.ts';
import type { Finding } from '../findings.ts';

/** A disk that takes longer is as good as gone. */
const DISK_MS_MAX = 5_000;

/** A record is synced before what it says is done. */
const SLOW_SYNC_MS = 100;

export type LedgerCheck = {
  readonly finding: Finding;
  /** The process that writes to it; undefined: none does. */
  readonly holder: number | undefined;
  /** When its newest file was written, wall clock; undefined: there is none. */
  readonly newestMs: number | undefined;
};

/** Whether records can be written and synced. Takes no lock and touches no file of the ledger. */
export async function checkLedger(folder: string, clock: Clock): Promise<LedgerCheck> {
  let found: LedgerCheck | undefined;
  const work = look(folder, clock).then((check) => {
    found = check;
  });
  await within(work, DISK_MS_MAX);
  if (found !== undefined) return found;
  const message = `${folder}: the disk does not answer within ${DISK_MS_MAX / 1_000} s`;
  const fix = 'Is the disk or the network mount gone?';
  return { finding: { level: 'fail', subject: 'ledger', message, fix }, ...NOTHING };
}

const NOTHING = { holder: undefined, newestMs: undefined } as const;

async function look(folder: string, clock: Clock): Promise<LedgerCheck> {
  const subject = 'ledger';
  try {
    const names = await readdir(folder).catch(missing);
    if (names === undefined) {
      const parent = await existingAbove(folder);
      await checkWritable(parent);
      const message = `${folder}: not there yet, and can be made in ${parent}`;
      return { finding: { level: 'ok', subject, message }, ...NOTHING };
    }
    const syncMs = await timeSync(folder, clock);
    const holder = await holderOf(folder);
    const user = holder === undefined ? '' : `, in use by process ${holder}`;
    const message = `${folder}: writable, a record is synced in ${syncMs.toFixed(1)} ms${user}`;
    const newestMs = await newestOf(folder, names);
    if (syncMs <= SLOW_SYNC_MS)
      return { finding: { level: 'ok', subject, message }, holder, newestMs };
    const fix = 'Put the ledger on a local disk: steps of rollouts wait for it.';
    return { finding: { level: 'warn', subject, message, fix }, holder, newestMs };
  } catch (error) {
    const message = `${folder}: expected a folder that can be written to and synced, found ${messageOf(error)}`;
    const fix = 'Set ledger in understudy.yaml to a folder of a disk that outlasts the process.';
    return { finding: { level: 'fail', subject, message, fix }, ...NOTHING };
  }
}

/** In a folder of its own, as the ledger reads its own. */
async function timeSync(folder: string, clock: Clock): Promise<number> {
  const own = await mkdtemp(join(folder, '.understudy-'));
  try {
    const file = await open(join(own, 'record'), 'w');
    try {
      const startedMs = clock.monotonicMs();
      await file.write('{}\n');
      await file.sync();
      return clock.monotonicMs() - startedMs;
    } finally {
      await file.close();
    }
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function newestOf(folder: string, names: readonly string[]): Promise<number | undefined> {
  const segments = names.filter((name) => name.endsWith('.jsonl'));
  const times = await Promise.all(
    segments.map((name) =>
      stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return times.length === 0 ? undefined : Math.max(...times);
}

function missing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

async function existingAbove(folder: string): Promise<string> {
  const parent = dirname(folder);
  if (
    parent === folder ||
    (await stat(parent).then(
      () => true,
      () => false,
    ))
  )
    return parent;
  return existingAbove(parent);
}
