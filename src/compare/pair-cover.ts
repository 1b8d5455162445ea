import { EventCover } from './event-cover.ts';
import type { PairedFailure } from './paired-failure-tally.ts';
import { RecentRuns } from './recent-runs.ts';

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
  readonly #failedRuns = new RecentRuns();

  covers({ shadowRun, drawnMs }: PairPlace): boolean {
    if (this.#failedRuns.has(shadowRun)) return true;
    return drawnMs !== undefined && this.#live.covers(drawnMs);
  }

  /** A failed pair has counted. */
  begin({ shadowRun, answeredMs }: PairPlace, { reference }: PairedFailure): void {
    this.#failedRuns.add(shadowRun);
    if (reference && answeredMs !== undefined) this.#live.begin(answeredMs);
  }
}
