import { SerialQueue } from '../../concurrency/serial-queue.ts';
import { messageOf } from '../../core/errors.ts';
import type { LedgerRecord, RecordBody } from '../../core/record.ts';
import { CHAIN_START, type ChainEnd, chainAfter, problemOf } from '../../ledger/chain.ts';
import {
  type AppendOptions,
  HeadMovedError,
  type Ledger,
  LedgerBrokenError,
  type LedgerHealth,
} from '../../ledger/ledger.ts';
import {
  type History,
  type ModelHistory,
  modelHistory,
  NO_HISTORY,
  withRecord,
} from './history.ts';

/** The ledger took no record. It says itself why, and when it takes records again, so this is worth no line of its own. */
export class NotRecordedError extends Error {
  constructor(cause: unknown) {
    super(`the ledger took no record: ${messageOf(cause)}`, { cause });
    this.name = 'NotRecordedError';
  }
}

/**
 * The ledger and the state it describes: each record written is folded into the history immediately, so memory never says
 * what the ledger does not. Once another process has written to the ledger the book is fenced: it accepts no more records.
 *
 * Ends of trials that the ledger does not take are kept, in order, and written before anything else once it does: at most one
 * for each model, as nothing more happens to a model until then.
 */
export class Logbook {
  readonly #ledger: Ledger;
  readonly #appends = new SerialQueue();
  #kept: readonly RecordBody[] = [];
  #end: ChainEnd = CHAIN_START;
  #history: History = NO_HISTORY;
  #fenced = false;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Reads and checks the whole chain. Throws LedgerBrokenError at the first record that cannot be trusted. */
  async load(): Promise<void> {
    this.#end = CHAIN_START;
    this.#history = NO_HISTORY;
    for await (const record of this.#ledger.read()) {
      const problem = problemOf(record, this.#end);
      if (problem !== undefined) throw new LedgerBrokenError('ledger', record.index + 1, problem);
      this.#fold(record);
    }
  }

  /**
   * Writes a record, after those that were kept, then believes it. Rejects with HeadMovedError where another process has written,
   * else with NotRecordedError; nothing has changed then.
   */
  append(body: RecordBody, options?: AppendOptions): Promise<LedgerRecord> {
    return this.#appends.run(async () => {
      await this.#writeKept();
      return this.#write(body, options);
    });
  }

  /** Writes the end of a trial. Resolves with false where the ledger does not take it: then `later` is kept. */
  appendEnd(body: RecordBody, later: RecordBody): Promise<boolean> {
    return this.#appends.run(async () => {
      try {
        await this.#writeKept();
        await this.#write(body, { isUrgent: true });
        return true;
      } catch {
        this.#kept = [...this.#kept, later];
        return false;
      }
    });
  }

  /** Writes what was kept, as far as the ledger takes it. */
  async flush(): Promise<void> {
    if (this.#kept.length > 0)
      await this.#appends.run(() => this.#writeKept()).catch(() => undefined);
  }

  /** Ends of trials that were carried out and are not on record. */
  unrecorded(): number {
    return this.#kept.length;
  }

  health(): LedgerHealth {
    return this.#ledger.health();
  }

  model(name: string): ModelHistory {
    return modelHistory(this.#history, name);
  }

  models(): readonly string[] {
    return [...this.#history.keys()];
  }

  isFenced(): boolean {
    return this.#fenced;
  }

  async #writeKept(): Promise<void> {
    for (let body = this.#kept[0]; body !== undefined; body = this.#kept[0]) {
      await this.#write(body, { isUrgent: true });
      this.#kept = this.#kept.slice(1);
    }
  }

  async #write(body: RecordBody, options?: AppendOptions): Promise<LedgerRecord> {
    try {
      const record = await this.#ledger.append(body, this.#end.head, options);
      this.#fold(record);
      return record;
    } catch (error) {
      if (!(error instanceof HeadMovedError)) throw new NotRecordedError(error);
      this.#fenced = true;
      throw error;
    }
  }

  #fold(record: LedgerRecord): void {
    this.#end = chainAfter(record);
    this.#history = withRecord(this.#history, record);
  }
}
