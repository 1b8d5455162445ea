import { sha256Hex } from '../core/hash.ts';
import type { LedgerRecord, RecordBody } from '../core/record.ts';
import { canonicalJson } from './canonical-json.ts';
import { GENESIS, LedgerBrokenError } from './ledger.ts';

/** The fields of a record other than its body and its hash. */
type Frame = Pick<LedgerRecord, 'index' | 'atMs' | 'previous'>;

/** SHA-256 over the canonical JSON of all fields of the record but `hash`. */
export function hashOf(record: Omit<LedgerRecord, 'hash'>): string {
  return hashOfText(record, canonicalJson(record.body));
}

/** Where the chain ends: what the next record has to fit on to. */
export type ChainEnd = {
  readonly count: number;
  readonly head: string;
  /** When the last record was written, wall-clock milliseconds; 0: there is none. */
  readonly atMs: number;
};

export const CHAIN_START: ChainEnd = { count: 0, head: GENESIS, atMs: 0 };

/** Where the chain ends before the first record that is read: at nothing, or where a checkpoint sums it up. */
export function chainBefore({ body, index, previous, atMs }: LedgerRecord): ChainEnd {
  return body.kind === 'checkpoint' ? { count: index, head: previous, atMs } : CHAIN_START;
}

/** The chain with this record added. */
export function chainAfter(record: LedgerRecord): ChainEnd {
  return { count: record.index + 1, head: record.hash, atMs: record.atMs };
}

/** A record and its line, without the line end: its canonical JSON. */
export type SealedRecord = { readonly record: LedgerRecord; readonly line: string };

/** Makes the next record. Its body is a copy as JSON would give it back, so that writer and reader see the same values. */
export function sealRecord(body: RecordBody, end: ChainEnd, atMs: number): SealedRecord {
  const text = canonicalJson(body);
  const frame: Frame = { index: end.count, atMs, previous: end.head };
  const hash = hashOfText(frame, text);
  const record = { ...frame, body: JSON.parse(text) as RecordBody, hash };
  return { record, line: lineOf(frame, text, hash) };
}

/**
 * What is wrong with this record as the next of the chain, in words; undefined: nothing. With the line that it was read
 * from, also what the hash does not see, such as a second key of one name, which would let two readers disagree.
 */
export function problemOf(record: LedgerRecord, end: ChainEnd, line?: string): string | undefined {
  if (record.index !== end.count) {
    return `expected record ${end.count}, found record ${record.index}: records are missing or out of order`;
  }
  if (record.previous !== end.head) {
    return `record ${record.index} does not follow the one before: expected previous ${end.head}, found ${record.previous}`;
  }
  const text = canonicalJson(record.body);
  const hash = hashOfText(record, text);
  if (record.hash !== hash) {
    return `record ${record.index} was changed: its content hashes to ${hash}, its hash says ${record.hash}`;
  }
  if (line === undefined || line === lineOf(record, text, hash)) return undefined;
  return `record ${record.index} is not in canonical form`;
}

// The body is by far the longest part of a record, so it is spelled once; these put the other fields around it, in the order
// that canonical JSON gives them.

function hashOfText({ index, atMs, previous }: Frame, body: string): string {
  const frame = canonicalJson({ index, previous }).slice(1);
  return sha256Hex(`{"atMs":${canonicalJson(atMs)},"body":${body},${frame}`);
}

function lineOf({ index, atMs, previous }: Frame, body: string, hash: string): string {
  const frame = canonicalJson({ hash, index, previous }).slice(1);
  return `{"atMs":${canonicalJson(atMs)},"body":${body},${frame}`;
}

/** What a walk along a chain found. `broken` is the first record that cannot be trusted. */
export type ChainReport = {
  /** Good records, counted up to the first broken one. */
  readonly records: number;
  /** Records before the first that is there, a checkpoint; absent: there are none. */
  readonly archived?: number;
  /** The hash of the last good record. */
  readonly head: string;
  readonly broken:
    | { readonly where: string; readonly line: number; readonly problem: string }
    | undefined;
};

/** Walks a whole chain. Never throws for a broken chain: it says where the first fault is. */
export async function verifyChain(
  records: Iterable<LedgerRecord> | AsyncIterable<LedgerRecord>,
): Promise<ChainReport> {
  let end: ChainEnd | undefined;
  let archived = 0;
  const report = (broken: ChainReport['broken']): ChainReport => {
    const { count, head } = end ?? CHAIN_START;
    return { records: count - archived, head, broken, ...(archived > 0 && { archived }) };
  };
  try {
    for await (const record of records) {
      if (end === undefined) {
        end = chainBefore(record);
        archived = end.count;
      }
      const problem = problemOf(record, end);
      if (problem !== undefined)
        return report({ where: 'record', line: record.index + 1, problem });
      end = chainAfter(record);
    }
  } catch (error) {
    if (!(error instanceof LedgerBrokenError)) throw error;
    return report({ where: error.where, line: error.line, problem: error.problem });
  }
  return report(undefined);
}
