import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LedgerRecord } from '../core/record.ts';
import { type ChainEnd, chainAfter, chainBefore, problemOf } from './chain.ts';
import { LedgerBrokenError, type ReadFrom } from './ledger.ts';

const SEGMENT_NAME = /^\d{12}\.jsonl$/;
const NEWLINE = 0x0a;

/** `000000000042.jsonl`: the file whose first record is number 42. Names sort as their records do. */
export function segmentName(firstIndex: number): string {
  return `${String(firstIndex).padStart(12, '0')}.jsonl`;
}

/** The segment files of a ledger directory, oldest first. */
export async function segmentFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => SEGMENT_NAME.test(name))
    .sort()
    .map((name) => join(directory, name));
}

/** What they take together. */
export async function segmentBytes(directory: string): Promise<number> {
  let bytes = 0;
  for (const file of await segmentFiles(directory)) bytes += (await stat(file)).size;
  return bytes;
}

/** Those of a ledger and of an archive of it, by name; a file that is in both is read from the first. */
async function filesOf(directories: readonly string[]): Promise<readonly string[]> {
  const found = new Map<string, string>();
  for (const directory of directories)
    for (const file of await segmentFiles(directory))
      if (!found.has(basename(file))) found.set(basename(file), file);
  return [...found.keys()].sort().flatMap((name) => found.get(name) ?? []);
}

/** From the last file on that begins with a whole checkpoint; all where none does. */
async function sinceCheckpoint(files: readonly string[]): Promise<readonly string[]> {
  for (let at = files.length - 1; at > 0; at -= 1) {
    const file = files[at];
    if (file !== undefined && (await beginsWithCheckpoint(file))) return files.slice(at);
  }
  return files;
}

/** As canonical JSON has it. A torn one at the end of the ledger was never acknowledged. */
const CHECKPOINT_START = /^\{"atMs":\d+,"body":\{"form":\d+,"kind":"checkpoint",/;
const CHUNK_BYTES = 64 * 1024;

async function beginsWithCheckpoint(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, 0);
    if (!CHECKPOINT_START.test(chunk.subarray(0, Math.min(bytesRead, 200)).toString('latin1')))
      return false;
    for (let [at, length] = [0, bytesRead]; length > 0; ) {
      if (chunk.subarray(0, length).includes(NEWLINE)) return true;
      at += length;
      length = (await handle.read(chunk, 0, CHUNK_BYTES, at)).bytesRead;
    }
    return false;
  } finally {
    await handle.close();
  }
}

/** One line: a record with the place it was read from. */
export type SegmentLine = {
  readonly record: LedgerRecord;
  readonly file: string;
  /** Bytes from the start of the file to the end of this record, its line end included or still to be written. */
  readonly endBytes: number;
  /** Of this record, its line end included. */
  readonly bytes: number;
  /** False for a last record whose line end is missing. */
  readonly ended: boolean;
};

/** What a write that never finished left at the end of the last file. It was never acknowledged. */
export type TornTail = { readonly file: string; readonly goodBytes: number; readonly tail: Buffer };

/**
 * Reads and checks the chain of a directory. An incomplete last line is handed to `onTorn` and is not part of the chain;
 * anything else that is wrong throws LedgerBrokenError with file and line.
 */
export async function* readSegments(
  directories: string | readonly string[],
  onTorn: (torn: TornTail) => void,
  from: ReadFrom = 'beginning',
): AsyncGenerator<SegmentLine> {
  const all = await filesOf([directories].flat());
  const files = from === 'beginning' ? all : await sinceCheckpoint(all);
  let end: ChainEnd | undefined;
  for (const [at, file] of files.entries()) {
    const context = { end, onTorn, tornFrom: await tornFrom(files, at) };
    for (const line of readSegment(file, await readFile(file), context)) {
      yield line;
      end = chainAfter(line.record);
    }
  }
}

/**
 * The number from which a record in the file at `at` may be torn. A file is begun when all records before its number are on the disk: where
 * nothing was written to it, a start goes on in the file before, whose next record may then be torn. Infinity: none may.
 */
async function tornFrom(files: readonly string[], at: number): Promise<number> {
  for (const later of files.slice(at + 1)) if ((await stat(later)).size > 0) return Infinity;
  const next = files[at + 1];
  return next === undefined ? 0 : Number.parseInt(basename(next), 10);
}

type SegmentContext = {
  /** Undefined: nothing has been read. */
  readonly end: ChainEnd | undefined;
  /** A record with a lower number must be whole. */
  readonly tornFrom: number;
  readonly onTorn: (torn: TornTail) => void;
};

function* readSegment(
  file: string,
  bytes: Buffer,
  context: SegmentContext,
): Generator<SegmentLine> {
  let { end } = context;
  let start = 0;
  for (let line = 1; start < bytes.length; line += 1) {
    const newline = bytes.indexOf(NEWLINE, start);
    const text = bytes.subarray(start, newline === -1 ? bytes.length : newline);
    const found = readLine(text.toString('utf8'), end);
    if (typeof found === 'string') {
      if (newline !== -1 || (end?.count ?? 0) < context.tornFrom)
        throw new LedgerBrokenError(file, line, found);
      context.onTorn({ file, goodBytes: start, tail: text });
      return;
    }
    const length = text.length + 1;
    start += length;
    yield { record: found, file, endBytes: start, bytes: length, ended: newline !== -1 };
    end = chainAfter(found);
  }
}

/** The record that a line holds, or what is wrong with the line. */
function readLine(text: string, end: ChainEnd | undefined): LedgerRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return `expected a record as JSON, found ${JSON.stringify(text.slice(0, 40))}`;
  }
  if (!isRecord(value)) return 'expected a record with index, atMs, body, previous and hash';
  return problemOf(value, end ?? chainBefore(value), text) ?? value;
}

function isRecord(value: unknown): value is LedgerRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { index, atMs, body, previous, hash } = value as Partial<
    Readonly<Record<keyof LedgerRecord, unknown>>
  >;
  const numbers = typeof index === 'number' && typeof atMs === 'number';
  const hashes = typeof previous === 'string' && typeof hash === 'string';
  return numbers && hashes && typeof body === 'object' && body !== null && 'kind' in body;
}
