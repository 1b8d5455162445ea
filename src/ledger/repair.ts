import { open } from 'node:fs/promises';
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
export type LedgerEnd = ChainEnd & { readonly file: string | undefined; readonly bytes: number };

export type FoundEnd = {
  readonly end: LedgerEnd;
  /** Repairs what is torn at the end. */
  readonly repair: () => Promise<Repair | undefined>;
};

/** The end of a ledger as it is on disk. Changes nothing. */
export async function readEnd(directory: string): Promise<FoundEnd> {
  let torn: TornTail | undefined;
  let last: SegmentLine | undefined;
  const onTorn = (found: TornTail): void => {
    torn = found;
  };
  for await (const line of readSegments(directory, onTorn)) last = line;
  const end = last === undefined ? CHAIN_START : chainAfter(last.record);
  const [file, bytes] =
    torn === undefined ? [last?.file, last?.endBytes ?? 0] : [torn.file, torn.goodBytes];
  return { end: { ...end, file, bytes }, repair: () => repair(torn, last) };
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
