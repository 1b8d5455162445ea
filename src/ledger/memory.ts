import type { Clock } from '../core/clock.ts';
import type { LedgerRecord, RecordBody } from '../core/record.ts';
import { canonicalJson } from './canonical-json.ts';
import { CHAIN_START, type ChainEnd, chainAfter, sealRecord } from './chain.ts';
import {
  HEALTHY,
  HeadMovedError,
  type Ledger,
  type LedgerHealth,
  type LedgerSize,
  type ReadFrom,
} from './ledger.ts';

/**
 * A ledger in memory, for tests and trials. Given records, it continues from them, as a restart would. Same chain, same copies,
 * same refusals as the ledger in files.
 */
export class MemoryLedger implements Ledger {
  readonly #clock: Clock;
  readonly #records: LedgerRecord[];
  readonly #checkpointEvery: number;
  #checkpointAt: number;
  #bytes: number;
  #end: ChainEnd;

  /** @param checkpointEvery a checkpoint is due after so many records; by default never. */
  constructor(
    clock: Clock,
    records: readonly LedgerRecord[] = [],
    checkpointEvery = Number.POSITIVE_INFINITY,
  ) {
    this.#clock = clock;
    this.#records = [...records];
    this.#checkpointEvery = checkpointEvery;
    this.#checkpointAt = records.findLastIndex(({ body }) => body.kind === 'checkpoint');
    this.#bytes = records.reduce((sum, record) => sum + canonicalJson(record).length + 1, 0);
    const last = records.at(-1);
    this.#end = last === undefined ? CHAIN_START : chainAfter(last);
  }

  async append(body: RecordBody, expectedHead: string): Promise<LedgerRecord> {
    if (expectedHead !== this.#end.head) throw new HeadMovedError(expectedHead, this.#end.head);
    const { record, line } = sealRecord(body, this.#end, this.#clock.wallMs());
    if (body.kind === 'checkpoint') this.#checkpointAt = this.#records.length;
    this.#records.push(record);
    this.#bytes += line.length + 1;
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

  async *read(from: ReadFrom = 'beginning'): AsyncIterable<LedgerRecord> {
    const records = [...this.#records];
    const isCheckpoint = ({ body }: LedgerRecord): boolean => body.kind === 'checkpoint';
    const first = from === 'beginning' ? 0 : Math.max(0, records.findLastIndex(isCheckpoint));
    yield* records.slice(first);
  }

  isCheckpointDue(): boolean {
    return this.#records.length - 1 - this.#checkpointAt >= this.#checkpointEvery;
  }

  size(): LedgerSize {
    return { records: this.#end.count, bytes: this.#bytes };
  }

  /** All records, oldest first. */
  records(): readonly LedgerRecord[] {
    return [...this.#records];
  }

  async close(): Promise<void> {}
}
