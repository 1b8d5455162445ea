import type { Clock } from '../core/clock.ts';
import type { LedgerRecord } from '../core/record.ts';
import { type ChainReport, verifyChain } from './chain.ts';
import { degradedCauseOf } from './degraded-cause.ts';
import { FileLedger, makeDirectory } from './file-ledger.ts';
import { type Ledger, LedgerBrokenError, type LedgerHealth } from './ledger.ts';
import { acquireLock, type Lock } from './lock.ts';
import { type Repair, readEnd } from './repair.ts';
import { type OpenFile, openForAppending } from './segment.ts';
import { readSegments } from './segments.ts';

export type { Repair } from './repair.ts';
export type { SegmentHandle } from './segment.ts';

const SEGMENT_BYTES_MAX = 16 * 1024 * 1024;
const APPEND_MS_MAX = 5_000;
const WATCH_MS = 1_000;

export type FileLedgerOptions = {
  readonly clock: Clock;
  /** Called for each torn write that was repaired and each deleted file that was written again. */
  readonly onRepair?: (repair: Repair) => void;
  /** Told each time that the ledger stops or starts taking records, or stops for another cause. */
  readonly onHealth?: (health: LedgerHealth) => void;
  /** A file that has reached this size is followed by a new one. */
  readonly segmentBytesMax?: number;
  /** How long the disk may take over one record before the ledger counts as hung; by default 5 s. */
  readonly appendMsMax?: number;
  /** Between two looks at the files, and between two tries to recover; by default 1 s. */
  readonly watchMs?: number;
  /** Opens a file for appending and reading, creating it. */
  readonly openFile?: OpenFile;
};

/**
 * Opens a directory of append-only files for writing: one record a line, each with the hash of the one before. Holds the
 * directory until closed. Throws LedgerLockedError if another process holds it, LedgerBrokenError (file, line, what to do)
 * if a record cannot be trusted. A last line that was never finished is cut and told to `onRepair`.
 *
 * A disk that can be read and not written (full, read-only) does not stop a ledger that has records from being opened: it is
 * degraded until the disk takes writes. An empty one throws, as there is nothing to go by.
 */
export async function openFileLedger(
  directory: string,
  options: FileLedgerOptions,
): Promise<Ledger> {
  const lock = await tryLock(directory);
  try {
    const found = await readEnd(directory).catch((error: unknown) => {
      throw 'fault' in lock && !(error instanceof LedgerBrokenError) ? lock.fault : error;
    });
    const { end } = found;
    if ('fault' in lock && end.count === 0) throw lock.fault;
    const ledger = new FileLedger({
      segmentBytesMax: SEGMENT_BYTES_MAX,
      appendMsMax: APPEND_MS_MAX,
      watchMs: WATCH_MS,
      openFile: openForAppending,
      onRepair: () => undefined,
      onHealth: () => undefined,
      ...options,
      directory,
      end,
    });
    await ledger.begin(lock, found);
    return ledger;
  } catch (error) {
    if ('release' in lock) await lock.release();
    throw error;
  }
}

/** The lock; or why the disk does not let anybody take it. */
async function tryLock(directory: string): Promise<Lock | { readonly fault: unknown }> {
  try {
    await makeDirectory(directory);
    return await acquireLock(directory);
  } catch (fault) {
    const cause = degradedCauseOf(fault);
    if (cause === 'full' || cause === 'readOnly') return { fault };
    throw fault;
  }
}

/** Reads a ledger directory without holding or changing it, while another process may be writing. */
export async function* readLedger(directory: string): AsyncGenerator<LedgerRecord> {
  for await (const line of readSegments(directory, ignoreTorn)) yield line.record;
}

/** Walks the chain of a directory without holding or changing it; names the first broken record by file and line. */
export async function verifyLedger(directory: string): Promise<ChainReport> {
  return verifyChain(readLedger(directory));
}

/** A reader may meet the writer in the middle of a line: that record does not exist yet. */
function ignoreTorn(): void {}
