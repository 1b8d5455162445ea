import { EventCover } from './event-cover.ts';
import type { PairedFailure } from './paired-failure-tally.ts';

/** Where a pair's two answers come from. Milliseconds of the monotonic clock. */
export type PairPlace = {
  readonly shadowRun?: number | undefined;
  readonly drawnMs?: number | undefined;
  readonly answeredMs?: number | undefined;
};

/**
 * A run that fails takes along all requests that share it, and is one event, as live (see `event-cover.ts`): once a failed pair has
 * counted, others of the same run of the shadow host do not. Where it was stable that failed, neither do pairs whose live request began
 * before that one was answered: they may have shared its run.
 */
export class PairCover {
  readonly #live = new EventCover();
  /** The shadow host runs one batch at a time, so the pairs of one run come one after another. */
  #failedRun: number | undefined;

  covers({ shadowRun, drawnMs }: PairPlace): boolean {
    if (shadowRun !== undefined && shadowRun === this.#failedRun) return true;
    return drawnMs !== undefined && this.#live.covers(drawnMs);
  }

  /** A failed pair has counted. */
  begin({ shadowRun, answeredMs }: PairPlace, { reference }: PairedFailure): void {
    this.#failedRun = shadowRun;
    if (reference && answeredMs !== undefined) this.#live.begin(answeredMs);
  }
}
