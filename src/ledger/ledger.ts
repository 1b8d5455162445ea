import type { LedgerRecord, RecordBody } from '../core/record.ts';

/** What the first record names as the hash before it. */
export const GENESIS = '0'.repeat(64);

/**
 * The append-only history of routes, trials and decisions. Every record carries the hash of the one before, so a record that
 * was changed, dropped or put in later is found by any reader of the chain.
 */
export type Ledger = {
  /**
   * Adds one record and resolves when it will survive a power cut. `expectedHead` is the hash that the caller believes to be
   * the last: two writers that decide from the same state cannot both succeed. Rejects with HeadMovedError; with the disk's own
   * error; with DiskHungError, within seconds, where the disk does not answer; or immediately with LedgerDegradedError where the
   * ledger is known to take nothing. After any of these nothing was added.
   */
  append(body: RecordBody, expectedHead: string, options?: AppendOptions): Promise<LedgerRecord>;
  /** Whether the last write was taken, and if not, why. A degraded ledger tries again by itself. */
  health(): LedgerHealth;
  /** The hash of the last record; GENESIS while there is none. */
  head(): string;
  /** When the last record was written, wall-clock milliseconds; 0 while there is none. */
  lastMs(): number;
  /**
   * Records, oldest first: all that are there, or from the last checkpoint on; where that is the first record, those before are archived.
   * Throws LedgerBrokenError at the first that cannot be trusted.
   */
  read(from?: ReadFrom): AsyncIterable<LedgerRecord>;
  /**
   * True where so much was written since the last checkpoint, or so long ago, that the next record should be one. It begins a
   * new file.
   */
  isCheckpointDue(): boolean;
  size(): LedgerSize;
  /** Waits for appends in flight and gives up the right to write. */
  close(): Promise<void>;
};

/**
 * Why a ledger takes no records: the disk has no room (`full`), refuses writes (`readOnly`), does not answer (`hung`), the files
 * were deleted, moved or replaced (`gone`), what is on record has not been read since the start (`unread`), or anything else
 * (`failing`).
 */
export type DegradedCause = 'full' | 'readOnly' | 'hung' | 'gone' | 'unread' | 'failing';

/** Whether the ledger takes records. `sinceMs` is wall-clock milliseconds. */
export type LedgerHealth =
  | { readonly kind: 'healthy' }
  | {
      readonly kind: 'degraded';
      readonly cause: DegradedCause;
      readonly why: string;
      readonly sinceMs: number;
    };

export const HEALTHY: LedgerHealth = { kind: 'healthy' };

/** Where reading begins. */
export type ReadFrom = 'beginning' | 'checkpoint';

/** Records of the whole chain, archived ones included, and the bytes of the files that are in the ledger's folder. */
export type LedgerSize = { readonly records: number; readonly bytes: number };

export type AppendOptions = {
  /** Tried although the ledger is degraded, and with the space that is kept back for it: the record ends a trial for the worse. */
  readonly isUrgent?: boolean;
};

/** Somebody else has written since the caller last looked, so what the caller decided may be out of date. */
export class HeadMovedError extends Error {
  readonly expectedHead: string;
  /** Undefined where another process wrote and its records have not been read. */
  readonly foundHead: string | undefined;

  constructor(expectedHead: string, foundHead: string | undefined) {
    const found = foundHead?.slice(0, 12) ?? 'records of another process';
    super(`the ledger has moved on: expected head ${expectedHead.slice(0, 12)}, found ${found}`);
    this.name = 'HeadMovedError';
    this.expectedHead = expectedHead;
    this.foundHead = foundHead;
  }
}

/** A live process holds the ledger. */
export class LedgerLockedError extends Error {
  readonly pid: number;

  constructor(directory: string, pid: number) {
    super(
      `the ledger ${directory} is in use by process ${pid}. Stop that process, or give this one a ledger of its own`,
    );
    this.name = 'LedgerLockedError';
    this.pid = pid;
  }
}

/** The ledger is known to take no records, so this one was not tried. */
export class LedgerDegradedError extends Error {
  constructor(why: string) {
    super(`the ledger takes no records: ${why}`);
    this.name = 'LedgerDegradedError';
  }
}

/** The files of the ledger are not where they were, or not what they were. */
export class LedgerGoneError extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(problem, options);
    this.name = 'LedgerGoneError';
  }
}

/** A record that cannot be trusted, with where it is and what to do about it. */
export class LedgerBrokenError extends Error {
  /** File and line (from 1), or `memory` and the record's place. */
  readonly where: string;
  readonly line: number;
  readonly problem: string;

  constructor(where: string, line: number, problem: string) {
    super(
      `${where}:${line}: ${problem}. Records before this line are good. ` +
        'Restore the file from a copy, or keep it as evidence and start with an empty ledger directory',
    );
    this.name = 'LedgerBrokenError';
    this.where = where;
    this.line = line;
    this.problem = problem;
  }
}
