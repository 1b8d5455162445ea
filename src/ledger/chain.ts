import { sha256Hex } from '../core/hash.ts';
import type { LedgerRecord, RecordBody } from '../core/record.ts';
import { canonicalJson } from './canonical-json.ts';
import { GENESIS, LedgerBrokenError } from './ledger.ts';

/** SHA-256 over the canonical JSON of all fields of the record but `hash`. */
export function hashOf(record: Omit<LedgerRecord, 'hash'>): string {
  const { index, atMs, body, previous } = record;
  return sha256Hex(canonicalJson({ index, atMs, body, previous }));
}

/** Where the chain ends: what the next record has to fit on to. */
export type ChainEnd = { readonly count: number; readonly head: string };

export const CHAIN_START: ChainEnd = { count: 0, head: GENESIS };

/** The chain with this record added. */
export function chainAfter(record: LedgerRecord): ChainEnd {
  return { count: record.index + 1, head: record.hash };
}

/** Makes the next record. Its body is a copy as JSON would give it back, so that writer and reader see the same values. */
export function sealRecord(body: RecordBody, end: ChainEnd, atMs: number): LedgerRecord {
  const copy = JSON.parse(canonicalJson(body)) as RecordBody;
  const open = { index: end.count, atMs, body: copy, previous: end.head };
  return { ...open, hash: hashOf(open) };
}

/** What is wrong with this record as the next of the chain, in words; undefined: nothing. */
export function problemOf(record: LedgerRecord, end: ChainEnd): string | undefined {
  if (record.index !== end.count) {
    return `expected record ${end.count}, found record ${record.index}: records are missing or out of order`;
  }
  if (record.previous !== end.head) {
    return `record ${record.index} does not follow the one before: expected previous ${end.head}, found ${record.previous}`;
  }
  const hash = hashOf(record);
  if (record.hash !== hash) {
    return `record ${record.index} was changed: its content hashes to ${hash}, its hash says ${record.hash}`;
  }
  return undefined;
}

/** What a walk along a chain found. `broken` is the first record that cannot be trusted. */
export type ChainReport = {
  /** Good records, counted up to the first broken one. */
  readonly records: number;
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
  let end = CHAIN_START;
  const report = (broken: ChainReport['broken']): ChainReport => {
    return { records: end.count, head: end.head, broken };
  };
  try {
    for await (const record of records) {
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
