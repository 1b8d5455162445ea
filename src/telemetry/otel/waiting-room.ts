import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { ExportOutcome, OtlpSignal } from '../../core/otlp.ts';

/** At most one line of the log about a collector that fails in so long, milliseconds. */
const SILENCE_MS = 60_000;

/** Of an error from outside, in characters. */
const REASON_MAX = 200;

export type WaitingRoomOptions = {
  readonly signal: OtlpSignal;
  /** Items that may wait or be on their way; beyond, new ones are dropped. OTEL_BSP_MAX_QUEUE_SIZE. */
  readonly itemsMax: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Counts what became of items. */
  readonly onExport: (signal: OtlpSignal, outcome: ExportOutcome, items: number) => void;
  /** Takes a line when sending begins to fail, and when it works again. */
  readonly log: Log;
};

/** What an exporter of the SDK reports, whose success is 0. */
export type ExportResult = { readonly code: number; readonly error?: Error };

/** The part of an exporter of the SDK that is watched. */
export type Exporter<Item> = {
  export(items: Item, settle: (result: ExportResult) => void): void;
};

/**
 * Bounds and counts all items of one signal between their making and their arrival. A collector that is down, slow or silent fills
 * it, and from then on items are dropped where they are made, which costs less than making them.
 */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  #waiting = 0;
  /** When the last line about a failure was written. */
  #complainedMs = -Infinity;
  /** Whether the log says that sending fails. */
  #isSaidToFail = false;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  /** Whether one more may be made. A no counts as dropped. */
  readonly hasRoom = (): boolean => {
    if (this.#waiting < this.#options.itemsMax) return true;
    this.#options.onExport(this.#options.signal, 'dropped', 1);
    return false;
  };

  /** Takes a place for one; false, and counted, where there is none. */
  readonly enter = (): boolean => {
    if (!this.hasRoom()) return false;
    this.#waiting += 1;
    return true;
  };

  /** Of an export of so many, exactly once. */
  settle(items: number, { code, error }: ExportResult): void {
    const { signal, onExport } = this.#options;
    this.#waiting = Math.max(0, this.#waiting - items);
    onExport(signal, code === 0 ? 'sent' : 'failed', items);
    if (code === 0) this.#praise();
    else this.#complain(error);
  }

  /** The exporter, with every item counted as its export ends. `count`: items of one call. */
  watch<Item>(exporter: Exporter<Item>, count: (items: Item) => number): Exporter<Item>['export'] {
    const send = exporter.export.bind(exporter);
    return (items, settle) => {
      let isSettled = false;
      const once = (result: ExportResult): void => {
        if (isSettled) return;
        isSettled = true;
        this.settle(count(items), result);
        settle(result);
      };
      try {
        send(items, once);
      } catch (thrown) {
        once({ code: 1, error: new Error(messageOf(thrown)) });
      }
    };
  }

  #complain(error: Error | undefined): void {
    const { clock, log, signal } = this.#options;
    const nowMs = clock.monotonicMs();
    // A collector that fails now and then is no more lines than one that is down.
    if (nowMs - this.#complainedMs < SILENCE_MS) return;
    this.#complainedMs = nowMs;
    this.#isSaidToFail = true;
    const why = (error?.message || 'no reason given').slice(0, REASON_MAX);
    log({
      level: 'warn',
      message: `OTLP: ${signal} not sent (${why}); dropping them while the collector does not take them`,
    });
  }

  #praise(): void {
    if (!this.#isSaidToFail) return;
    this.#isSaidToFail = false;
    const { log, signal } = this.#options;
    log({ level: 'info', message: `OTLP: the collector takes ${signal} again` });
  }
}
