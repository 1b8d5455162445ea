import type { Clock } from '../core/clock.ts';
import type { LedgerRecord, RecordBody } from '../core/record.ts';
import { durationText } from '../core/text.ts';
import {
  type AppendOptions,
  GENESIS,
  type Ledger,
  LedgerDegradedError,
  type LedgerHealth,
  type LedgerSize,
  type ReadFrom,
} from './ledger.ts';

/**
 * A ledger that is still being opened, however long its disk takes for that. Modes:
 *
 * - `unread`, until all records have been read once: degraded, takes no record, and nothing is known of what is on record.
 * - from then on it is the ledger that was opened.
 *
 * A process that ends does not wait for a ledger that has not been opened.
 */
export class LateLedger implements Ledger {
  readonly #opening: Promise<Ledger>;
  readonly #clock: Clock;
  readonly #sinceMs: number;
  readonly #sinceMonotonicMs: number;
  #ledger: Ledger | undefined;
  #isRead = false;
  #isClosed = false;

  constructor(opening: Promise<Ledger>, clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.wallMs();
    this.#sinceMonotonicMs = clock.monotonicMs();
    this.#opening = opening.then(async (ledger) => {
      if (this.#isClosed) await ledger.close();
      this.#ledger = ledger;
      return ledger;
    });
    // It is thrown where the records are read.
    this.#opening.catch(() => undefined);
  }

  async append(
    body: RecordBody,
    expectedHead: string,
    options?: AppendOptions,
  ): Promise<LedgerRecord> {
    const ledger = this.#readLedger();
    if (ledger === undefined) throw new LedgerDegradedError(this.#whyUnread());
    return await ledger.append(body, expectedHead, options);
  }

  health(): LedgerHealth {
    const ledger = this.#readLedger();
    if (ledger !== undefined) return ledger.health();
    const [why, sinceMs] = [this.#whyUnread(), this.#sinceMs];
    return { kind: 'degraded', cause: 'unread', why, sinceMs };
  }

  head(): string {
    return this.#ledger?.head() ?? GENESIS;
  }

  lastMs(): number {
    return this.#ledger?.lastMs() ?? 0;
  }

  /** Waits until the ledger is opened. Throws what it cannot be opened for. */
  async *read(from?: ReadFrom): AsyncIterable<LedgerRecord> {
    const ledger = await this.#opening;
    yield* ledger.read(from);
    this.#isRead = true;
  }

  isCheckpointDue(): boolean {
    return this.#readLedger()?.isCheckpointDue() ?? false;
  }

  size(): LedgerSize {
    return this.#ledger?.size() ?? { records: 0, bytes: 0 };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#ledger?.close();
  }

  #readLedger(): Ledger | undefined {
    return this.#isRead ? this.#ledger : undefined;
  }

  #whyUnread(): string {
    const ms = this.#clock.monotonicMs() - this.#sinceMonotonicMs;
    return `the ledger has not been read to its end after ${durationText(ms)}, so that no route is known`;
  }
}
