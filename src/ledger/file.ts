import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { LedgerRecord, RecordBody } from '../core/record.ts';
import {
  CHAIN_START,
  type ChainEnd,
  type ChainReport,
  chainAfter,
  sealRecord,
  verifyChain,
} from './chain.ts';
import { HeadMovedError, type Ledger } from './ledger.ts';
import { acquireLock, type Lock } from './lock.ts';
import { readSegments, type SegmentLine, segmentName, type TornTail } from './segments.ts';

const SEGMENT_BYTES_MAX = 16 * 1024 * 1024;

/** What was mended when a ledger was opened. Nothing that was acknowledged is ever cut. */
export type Repair = {
  readonly file: string;
  /** Bytes taken off the end of the file: a record whose writing never finished. 0: only the line end was added. */
  readonly cutBytes: number;
  readonly message: string;
};

/** The part of an open file that the ledger uses; a test passes one that fails. */
export type SegmentHandle = Pick<FileHandle, 'appendFile' | 'sync' | 'truncate' | 'stat' | 'close'>;

export type FileLedgerOptions = {
  readonly clock: Clock;
  /** Told once, at opening, if a torn write was mended. */
  readonly onRepair?: (repair: Repair) => void;
  /** A file that has reached this size is followed by a new one. */
  readonly segmentBytesMax?: number;
  /** Opens a file for appending, creating it. */
  readonly openFile?: (path: string) => Promise<SegmentHandle>;
};

/**
 * Opens a directory of append-only files for writing: one record a line, each with the hash of the one before. Holds the
 * directory until closed. Throws LedgerLockedError if another process holds it, LedgerBrokenError (file, line, what to do)
 * if a record cannot be trusted. A last line that was never finished is cut and told to `onRepair`.
 */
export async function openFileLedger(
  directory: string,
  options: FileLedgerOptions,
): Promise<Ledger> {
  await mkdir(directory, { recursive: true });
  await syncDirectory(dirname(directory));
  const lock = await acquireLock(directory);
  try {
    const openFile = options.openFile ?? ((path: string) => open(path, 'a'));
    const end = await mendAndRead(directory, options);
    const segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
    return new FileLedger({
      directory,
      clock: options.clock,
      openFile,
      segmentBytesMax,
      lock,
      end,
    });
  } catch (error) {
    await lock.release();
    throw error;
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

type LedgerEnd = ChainEnd & { readonly file: string | undefined; readonly bytes: number };

async function mendAndRead(directory: string, options: FileLedgerOptions): Promise<LedgerEnd> {
  let torn: TornTail | undefined;
  let last: SegmentLine | undefined;
  const onTorn = (found: TornTail): void => {
    torn = found;
  };
  for await (const line of readSegments(directory, onTorn)) last = line;
  const mended = await mend(torn, last);
  if (mended !== undefined) options.onRepair?.(mended);
  const end = last === undefined ? CHAIN_START : chainAfter(last.record);
  if (torn !== undefined) return { ...end, file: torn.file, bytes: torn.goodBytes };
  return { ...end, file: last?.file, bytes: last?.endBytes ?? 0 };
}

async function mend(
  torn: TornTail | undefined,
  last: SegmentLine | undefined,
): Promise<Repair | undefined> {
  if (torn !== undefined) {
    const { file, goodBytes, tail } = torn;
    await withFile(file, (handle) => handle.truncate(goodBytes));
    const message = `${file}: cut ${tail.length} bytes of a record that was never finished`;
    return { file, cutBytes: tail.length, message };
  }
  if (last === undefined || last.ended) return undefined;
  await withFile(last.file, (handle) => handle.appendFile('\n'));
  return { file: last.file, cutBytes: 0, message: `${last.file}: ended the last line` };
}

async function withFile(
  path: string,
  work: (handle: SegmentHandle) => Promise<void>,
): Promise<void> {
  const handle = await open(path, 'a');
  try {
    await work(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a new name in a directory survive a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

type FileLedgerState = {
  readonly directory: string;
  readonly clock: Clock;
  readonly openFile: (path: string) => Promise<SegmentHandle>;
  readonly segmentBytesMax: number;
  readonly lock: Lock;
  readonly end: LedgerEnd;
};

/**
 * Appends one at a time. `#bytes` is where the last acknowledged record ends in the present file; after a write that failed
 * (`#dirty`) whatever lies beyond is cut before anything else is written, so a full disk costs the record and not the chain.
 */
class FileLedger implements Ledger {
  readonly #state: FileLedgerState;
  #end: ChainEnd;
  #path: string | undefined;
  #handle: SegmentHandle | undefined;
  #bytes: number;
  #dirty = false;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(state: FileLedgerState) {
    this.#state = state;
    this.#end = state.end;
    this.#path = state.end.file;
    this.#bytes = state.end.bytes;
  }

  append(body: RecordBody, expectedHead: string): Promise<LedgerRecord> {
    if (this.#closed) return Promise.reject(new Error('the ledger is closed'));
    const appended = this.#last.then(() => this.#append(body, expectedHead));
    this.#last = appended.catch(() => undefined);
    return appended;
  }

  head(): string {
    return this.#end.head;
  }

  lastMs(): number {
    return this.#end.atMs;
  }

  async *read(): AsyncIterable<LedgerRecord> {
    yield* readLedger(this.#state.directory);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    await this.#handle?.close();
    await this.#state.lock.release();
  }

  async #append(body: RecordBody, expectedHead: string): Promise<LedgerRecord> {
    if (expectedHead !== this.#end.head) throw new HeadMovedError(expectedHead, this.#end.head);
    const handle = await this.#segment();
    await this.#checkAlone(handle);
    const { record, line } = sealRecord(body, this.#end, this.#state.clock.wallMs());
    const bytes = Buffer.from(`${line}\n`);
    this.#dirty = true;
    try {
      await handle.appendFile(bytes);
      await handle.sync();
    } catch (error) {
      await this.#cut(handle).catch(() => undefined);
      throw error;
    }
    this.#dirty = false;
    this.#bytes += bytes.length;
    this.#end = chainAfter(record);
    return record;
  }

  /** The file to write to: the present one, or the next if that is full. Clean, whatever the last write did. */
  async #segment(): Promise<SegmentHandle> {
    if (this.#path !== undefined) {
      this.#handle ??= await this.#state.openFile(this.#path);
      if (this.#dirty) await this.#cut(this.#handle);
      if (this.#bytes < this.#state.segmentBytesMax) return this.#handle;
    }
    const path = join(this.#state.directory, segmentName(this.#end.count));
    const next = await this.#state.openFile(path);
    await this.#handle?.close();
    this.#path = path;
    this.#handle = next;
    this.#bytes = 0;
    await syncDirectory(this.#state.directory);
    return next;
  }

  async #cut(handle: SegmentHandle): Promise<void> {
    await handle.truncate(this.#bytes);
    await handle.sync();
    this.#dirty = false;
  }

  /** The lock keeps other writers away; should one get past it, its bytes show before ours are mixed with them. */
  async #checkAlone(handle: SegmentHandle): Promise<void> {
    const { size } = await handle.stat();
    if (size !== this.#bytes) throw new HeadMovedError(this.#end.head, undefined);
  }
}
