import { acquireLock } from '../../src/ledger/lock.ts';
import type { Lockfile } from './installed.ts';

export type LockKind = 'ours' | 'library';

/** The library's shortest, milliseconds; its default is 10 s. */
const STALE_MS = 2_000;

/** Takes the lock of a folder, and returns what releases it. Rejects where another holds it. */
export async function lockWith({
  kind,
  folder,
  lockfile,
}: {
  readonly kind: LockKind;
  readonly folder: string;
  readonly lockfile: Lockfile;
}): Promise<() => Promise<void>> {
  if (kind === 'library') {
    return lockfile.lock(folder, { stale: STALE_MS, onCompromised: () => undefined });
  }
  const lock = await acquireLock(folder);
  return () => lock.release();
}
