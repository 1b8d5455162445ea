import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerLockedError } from './ledger.ts';

const LOCK_FILE = 'lock';

/**
 * Who holds a directory. A process id alone is not enough: ids are used again, and the first process of every container is
 * number 1, so the start time of the process is kept as well. Both are of one machine and one pid namespace.
 */
type Holder = { readonly pid: number; readonly startTicks: string | undefined };

export type Lock = {
  /** False once the lock file was deleted, or is another's. */
  isHeld(): Promise<boolean>;
  /** Takes away the lock file, if it is still this process's. */
  release(): Promise<void>;
};

/**
 * Takes the directory for this process, also from a holder that no longer lives. Throws LedgerLockedError if one does.
 * The lock file appears under its name with its content in it, so no reader ever sees half of one.
 */
export async function acquireLock(directory: string): Promise<Lock> {
  const path = join(directory, LOCK_FILE);
  const holder: Holder = { pid: process.pid, startTicks: await startTicksOf(process.pid) };
  const text = JSON.stringify(holder);
  const mine = join(directory, `${LOCK_FILE}.${process.pid}.${randomUUID()}`);
  try {
    await writeFile(mine, text);
    if (!(await tryLink(mine, path))) {
      await removeIfStale(directory, path);
      if (!(await tryLink(mine, path))) throw await lockedBy(directory, path);
    }
  } finally {
    await rm(mine, { force: true });
  }
  const isHeld = async (): Promise<boolean> => (await readText(path)) === text;
  return {
    isHeld,
    release: async () => {
      if (await isHeld()) await unlink(path);
    },
  };
}

/** The living process that writes to a directory; undefined: none does. Changes nothing. */
export async function holderOf(directory: string): Promise<number | undefined> {
  const holder = parseHolder((await readText(join(directory, LOCK_FILE))) ?? '');
  return holder !== undefined && (await isAlive(holder)) ? holder.pid : undefined;
}

async function removeIfStale(directory: string, path: string): Promise<void> {
  const found = await readText(path);
  if (found === undefined) return;
  const holder = parseHolder(found);
  if (holder !== undefined && (await isAlive(holder))) {
    throw new LedgerLockedError(directory, holder.pid);
  }
  const aside = `${path}.stale.${randomUUID()}`;
  if (!(await tryRename(path, aside))) return;
  // Another process may have taken over the stale lock between the read and the rename; then its lock is restored.
  if ((await readText(aside)) !== found) await tryLink(aside, path);
  await unlink(aside);
}

async function lockedBy(directory: string, path: string): Promise<LedgerLockedError> {
  const holder = parseHolder((await readText(path)) ?? '');
  return new LedgerLockedError(directory, holder?.pid ?? 0);
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    if (codeOf(error) !== 'EPERM') return false;
  }
  const ticks = await startTicksOf(holder.pid);
  return holder.startTicks === undefined || ticks === holder.startTicks;
}

/**
 * When the process started, in clock ticks since boot (proc(5), stat field 22). Undefined where there is no /proc, and for a
 * process that has ended and only waits to be collected.
 */
async function startTicksOf(pid: number): Promise<string | undefined> {
  const text = await readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The second field is the command in brackets and may itself hold spaces and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  return state === 'Z' || state === 'X' ? undefined : fields[19];
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value)) return undefined;
    const startTicks = 'startTicks' in value ? value.startTicks : undefined;
    // Signals to 0 and below go to groups of processes, which live for as long as this one does.
    if (!Number.isSafeInteger(value.pid) || Number(value.pid) <= 0) return undefined;
    return {
      pid: Number(value.pid),
      startTicks: typeof startTicks === 'string' ? startTicks : undefined,
    };
  } catch {
    return undefined;
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  return unlessCode('EEXIST', () => link(from, to));
}

async function tryRename(from: string, to: string): Promise<boolean> {
  return unlessCode('ENOENT', () => rename(from, to));
}

async function unlessCode(code: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (codeOf(error) === code) return false;
    throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // ESRCH: the process ended while its /proc entry was read.
    if (['ENOENT', 'ENOTDIR', 'ESRCH'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
