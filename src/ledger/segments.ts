import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerRecord } from '../core/record.ts';
import { CHAIN_START, type ChainEnd, chainAfter, problemOf } from './chain.ts';
import { LedgerBrokenError } from './ledger.ts';

const SEGMENT_NAME = /^\d{12}\.jsonl$/;
const NEWLINE = 0x0a;

/** `000000000042.jsonl`: the file whose first record is number 42. Names sort as their records do. */
export function segmentName(firstIndex: number): string {
  return `${String(firstIndex).padStart(12, '0')}.jsonl`;
}

/** The segment files of a ledger directory, oldest first. */
async function segmentFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => SEGMENT_NAME.test(name))
    .sort()
    .map((name) => join(directory, name));
}

/** One line: a record with the place it was read from. */
export type SegmentLine = {
  readonly record: LedgerRecord;
  readonly file: string;
  /** Bytes from the start of the file to the end of this record, its line end included or still to be written. */
  readonly endBytes: number;
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
  directory: string,
  onTorn: (torn: TornTail) => void,
): AsyncGenerator<SegmentLine> {
  const files = await segmentFiles(directory);
  let end = CHAIN_START;
  for (const file of files) {
    const isLast = file === files.at(-1);
    for (const line of readSegment(file, await readFile(file), { end, isLast, onTorn })) {
      yield line;
      end = chainAfter(line.record);
    }
  }
}

type SegmentContext = {
  readonly end: ChainEnd;
  readonly isLast: boolean;
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
      if (newline !== -1 || !context.isLast) throw new LedgerBrokenError(file, line, found);
      context.onTorn({ file, goodBytes: start, tail: text });
      return;
    }
    start += text.length + 1;
    yield { record: found, file, endBytes: start, ended: newline !== -1 };
    end = chainAfter(found);
  }
}

/** The record that a line holds, or what is wrong with the line. */
function readLine(text: string, end: ChainEnd): LedgerRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return `expected a record as JSON, found ${JSON.stringify(text.slice(0, 40))}`;
  }
  if (!isRecord(value)) return 'expected a record with index, atMs, body, previous and hash';
  return problemOf(value, end, text) ?? value;
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
