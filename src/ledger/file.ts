import type { Clock } from '../core/clock.ts';
import type { LedgerRecord } from '../core/record.ts';
import { BoundedQueue } from '../disk/bounded-queue.ts';
import { type ChainReport, verifyChain } from './chain.ts';
import { degradedCauseOf } from './degraded-cause.ts';
import { FileLedger, type Held, makeLedgerDirectory } from './file-ledger.ts';
import { type Ledger, LedgerBrokenError, type LedgerHealth } from './ledger.ts';
import { acquireLock } from './lock.ts';
import { type FoundEnd, type Repair, readEnd } from './repair.ts';
import { type OpenFile, openForAppending } from './segment.ts';
import { readSegments } from './segments.ts';

export type { Repair } from './repair.ts';
export type { SegmentHandle } from './segment.ts';

const SEGMENT_BYTES_MAX = 16 * 1024 * 1024;
const SEGMENT_MS_MAX = 30 * 86_400_000;
const APPEND_MS_MAX = 5_000;
const WATCH_MS = 1_000;

export type FileLedgerOptions = {
  readonly clock: Clock;
  /** Called for each torn write that was repaired and each deleted file that was written again. */
  readonly onRepair?: (repair: Repair) => void;
  /** Called each time that the ledger stops or starts taking records. */
  readonly onHealth?: (health: LedgerHealth) => void;
  /** A file that has reached this size is followed by a new one; once so much follows the last checkpoint, the next is due. By default 16 MiB. */
  readonly segmentBytesMax?: number;
  /** The next checkpoint is due once the last one is so old and records follow it; by default 30 days. */
  readonly segmentMsMax?: number;
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
 * if a record cannot be trusted. An incomplete last line is cut and reported to `onRepair`.
 *
 * A disk that can be read and not written (full, read-only, hung) does not stop a ledger that has records from being opened: it is
 * degraded until the disk takes writes. An empty one throws, as there is nothing to go by.
 */
export async function openFileLedger(
  directory: string,
  options: FileLedgerOptions,
): Promise<Ledger> {
  const queue = new BoundedQueue({
    disk: 'the ledger',
    msMax: options.appendMsMax ?? APPEND_MS_MAX,
  });
  const held: Held = { lock: undefined };
  try {
    const { found, fault } = await lockAndRead(directory, queue, held);
    const { end } = found;
    if (fault !== undefined && end.count === 0) throw fault;
    const ledger = new FileLedger({
      segmentBytesMax: SEGMENT_BYTES_MAX,
      segmentMsMax: SEGMENT_MS_MAX,
      watchMs: WATCH_MS,
      openFile: openForAppending,
      onRepair: () => undefined,
      onHealth: () => undefined,
      ...options,
      ...{ directory, queue, held, end },
    });
    await ledger.begin(found, fault);
    return ledger;
  } catch (error) {
    await held.lock?.release();
    throw error;
  }
}

type LockedEnd = { readonly found: FoundEnd; readonly fault: unknown };

/** Reads where the ledger ends, however long the disk takes for that. `fault`: why the lock could not be taken. */
async function lockAndRead(directory: string, queue: BoundedQueue, held: Held): Promise<LockedEnd> {
  const fault = await lockFault(directory, queue, held);
  const found = await readEnd(directory).catch((error: unknown) => {
    throw fault !== undefined && !(error instanceof LedgerBrokenError) ? fault : error;
  });
  if (fault === undefined || found.end.count > 0 || degradedCauseOf(fault) !== 'hung')
    return { found, fault };
  // It was only late, and is answering now.
  const again = await lockFault(directory, queue, held);
  return { found: await readEnd(directory), fault: again };
}

/** Takes the lock; or the error of a disk on which no lock can be taken, within the time limit of the queue. */
async function lockFault(directory: string, queue: BoundedQueue, held: Held): Promise<unknown> {
  try {
    await queue.run(async () => {
      await makeLedgerDirectory(directory);
      held.lock ??= await acquireLock(directory);
    });
    return undefined;
  } catch (fault) {
    const cause = degradedCauseOf(fault);
    if (cause === 'full' || cause === 'readOnly' || cause === 'hung') return fault;
    throw fault;
  }
}

/**
 * Reads a ledger directory without holding or changing it, while another process may be writing; after the directory of its archive,
 * where there is one.
 */
export async function* readLedger(
  directories: string | readonly string[],
): AsyncGenerator<LedgerRecord> {
  for await (const line of readSegments(directories, ignoreTorn)) yield line.record;
}

/** Walks the chain of a directory without holding or changing it; names the first broken record by file and line. */
export async function verifyLedger(directories: string | readonly string[]): Promise<ChainReport> {
  return verifyChain(readLedger(directories));
}

/** A reader may meet the writer in the middle of a line: that record does not exist yet. */
function ignoreTorn(): void {}
