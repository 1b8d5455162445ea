import type { LedgerRecord, RecordBody } from '../core/record.ts';
import { CHAIN_START, type ChainEnd, chainAfter, problemOf } from '../ledger/chain.ts';
import { HeadMovedError, type Ledger, LedgerBrokenError } from '../ledger/ledger.ts';
import {
  type History,
  type ModelHistory,
  modelHistory,
  NO_HISTORY,
  withRecord,
} from './history.ts';
import { SerialQueue } from './serial-queue.ts';

/**
 * The ledger together with what it means: every record that is written is folded into the history at once, so memory never
 * says what the ledger does not. Once somebody else has written to the ledger the book is fenced: it takes nothing more.
 */
export class Logbook {
  readonly #ledger: Ledger;
  readonly #appends = new SerialQueue();
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

  /** Writes a record, then believes it. Rejects as the ledger's append does; nothing has changed then. */
  append(body: RecordBody): Promise<LedgerRecord> {
    return this.#appends.run(async () => {
      try {
        const record = await this.#ledger.append(body, this.#end.head);
        this.#fold(record);
        return record;
      } catch (error) {
        if (error instanceof HeadMovedError) this.#fenced = true;
        throw error;
      }
    });
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

  #fold(record: LedgerRecord): void {
    this.#end = chainAfter(record);
    this.#history = withRecord(this.#history, record);
  }
}
