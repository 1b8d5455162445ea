import { open } from 'node:fs/promises';
import type { LedgerRecord } from '../core/record.ts';
import { CHAIN_START, type ChainEnd, chainAfter } from './chain.ts';
import { readSegments, type SegmentLine, type TornTail } from './segments.ts';

/** What was repaired when a ledger was opened. Nothing that was acknowledged is ever cut. */
export type Repair = {
  readonly file: string;
  /** Bytes taken off the end of the file: a record whose writing never finished. 0: only the line end was added. */
  readonly cutBytes: number;
  readonly message: string;
};

/** Where a ledger ends: in the chain, and on the disk. `file` is undefined for an empty one. */
export type LedgerEnd = ChainEnd & {
  readonly file: string | undefined;
  readonly bytes: number;
  readonly tail: Tail;
};

/** What has to be read at a start: the last checkpoint, if there is one, and the records after it. */
export type Tail = {
  readonly checkpointBytes: number;
  /** Of the records after it. */
  readonly bytes: number;
  /** When the first of all these was written, wall-clock milliseconds; 0: there is none. */
  readonly sinceMs: number;
};

const NO_TAIL: Tail = { checkpointBytes: 0, bytes: 0, sinceMs: 0 };

/** With one more record. */
export function tailAfter(tail: Tail, { atMs, body }: LedgerRecord, bytes: number): Tail {
  if (body.kind === 'checkpoint') return { checkpointBytes: bytes, bytes: 0, sinceMs: atMs };
  return { ...tail, bytes: tail.bytes + bytes, sinceMs: tail.sinceMs === 0 ? atMs : tail.sinceMs };
}

export type FoundEnd = {
  readonly end: LedgerEnd;
  /** Repairs what is torn at the end. */
  readonly repair: () => Promise<Repair | undefined>;
};

/** The end of a ledger as it is on disk, read and checked from its last checkpoint on. Changes nothing. */
export async function readEnd(directory: string): Promise<FoundEnd> {
  let torn: TornTail | undefined;
  let last: SegmentLine | undefined;
  const onTorn = (found: TornTail): void => {
    torn = found;
  };
  let tail = NO_TAIL;
  for await (const line of readSegments(directory, onTorn, 'checkpoint')) {
    last = line;
    tail = tailAfter(tail, line.record, line.bytes);
  }
  const end = last === undefined ? CHAIN_START : chainAfter(last.record);
  const [file, bytes] =
    torn === undefined ? [last?.file, last?.endBytes ?? 0] : [torn.file, torn.goodBytes];
  return { end: { ...end, file, bytes, tail }, repair: () => repair(torn, last) };
}

async function repair(
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

type Opened = Awaited<ReturnType<typeof open>>;

async function withFile(path: string, work: (handle: Opened) => Promise<void>): Promise<void> {
  const handle = await open(path, 'a');
  try {
    await work(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
