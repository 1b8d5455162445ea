import type { Clock } from '../core/clock.ts';
import type { LedgerRecord, RecordBody } from '../core/record.ts';
import { CHAIN_START, type ChainEnd, chainAfter, sealRecord } from './chain.ts';
import { HEALTHY, HeadMovedError, type Ledger, type LedgerHealth } from './ledger.ts';

/**
 * A ledger in memory, for tests and trials. Given records, it continues from them, as a restart would. Same chain, same copies,
 * same refusals as the ledger in files.
 */
export class MemoryLedger implements Ledger {
  readonly #clock: Clock;
  readonly #records: LedgerRecord[];
  #end: ChainEnd;

  constructor(clock: Clock, records: readonly LedgerRecord[] = []) {
    this.#clock = clock;
    this.#records = [...records];
    const last = records.at(-1);
    this.#end = last === undefined ? CHAIN_START : chainAfter(last);
  }

  async append(body: RecordBody, expectedHead: string): Promise<LedgerRecord> {
    if (expectedHead !== this.#end.head) throw new HeadMovedError(expectedHead, this.#end.head);
    const { record } = sealRecord(body, this.#end, this.#clock.wallMs());
    this.#records.push(record);
    this.#end = chainAfter(record);
    return record;
  }

  head(): string {
    return this.#end.head;
  }

  lastMs(): number {
    return this.#end.atMs;
  }

  health(): LedgerHealth {
    return HEALTHY;
  }

  async *read(): AsyncIterable<LedgerRecord> {
    yield* [...this.#records];
  }

  /** All records, oldest first. */
  records(): readonly LedgerRecord[] {
    return [...this.#records];
  }

  async close(): Promise<void> {}
}
