import { SerialQueue } from '../../concurrency/serial-queue.ts';
import { messageOf } from '../../core/errors.ts';
import type { LedgerRecord, RecordBody } from '../../core/record.ts';
import type { RecordedChange } from '../../core/recorded-change.ts';
import {
  CHAIN_START,
  type ChainEnd,
  chainAfter,
  chainBefore,
  problemOf,
} from '../../ledger/chain.ts';
import {
  type AppendOptions,
  HeadMovedError,
  type Ledger,
  LedgerBrokenError,
  type LedgerHealth,
} from '../../ledger/ledger.ts';
import {
  checkpointOf,
  type History,
  type ModelHistory,
  modelHistory,
  NO_HISTORY,
  type Trial,
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
  readonly #onRecorded: (change: RecordedChange) => void;
  readonly #appends = new SerialQueue();
  #kept: readonly RecordBody[] = [];
  #end: ChainEnd = CHAIN_START;
  #history: History = NO_HISTORY;
  #fenced = false;

  /** @param onRecorded called for each record that was written; must not throw. */
  constructor(ledger: Ledger, onRecorded: (change: RecordedChange) => void = () => undefined) {
    this.#ledger = ledger;
    this.#onRecorded = onRecorded;
  }

  /** Reads and checks the chain from its last checkpoint on. Throws LedgerBrokenError at the first record that cannot be trusted. */
  async load(): Promise<void> {
    this.#end = CHAIN_START;
    this.#history = NO_HISTORY;
    let isFirst = true;
    for await (const record of this.#ledger.read('checkpoint')) {
      if (isFirst) this.#end = chainBefore(record);
      isFirst = false;
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
      if (this.#ledger.isCheckpointDue()) await this.#checkpoint(options?.isUrgent === true);
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

  /** What is urgent goes where nothing else is taken: it does not wait for a checkpoint that is refused. */
  async #checkpoint(isBeforeUrgent: boolean): Promise<void> {
    try {
      await this.#write(checkpointOf(this.#history));
    } catch (error) {
      if (!isBeforeUrgent || error instanceof HeadMovedError) throw error;
    }
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
      const before = this.#history;
      this.#fold(record);
      this.#onRecorded(changeBetween(record, before, this.#history));
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

/** The rollout that a record is about is the one that has it as its last. */
function changeBetween(record: LedgerRecord, before: History, after: History): RecordedChange {
  const about = trialsOf(after).find(({ lastRecord }) => lastRecord.index === record.index);
  const id = about?.rollout.id;
  const stood = id === undefined ? undefined : trialsOf(before).find((it) => it.rollout.id === id);
  return { record, before: stood?.rollout, after: about?.rollout };
}

function trialsOf(history: History): readonly Trial[] {
  return [...history.values()].flatMap((model) => model.trials);
}
