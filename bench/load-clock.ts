import { systemClock } from '../src/core/clock.ts';
import type { LoadProgress } from '../src/load/nouns/load-report.ts';

/**
 * Tells moments of this process in the time of a load that another process runs, whose clock is not ours. Each progress comes a
 * little after its moment: the least delay of them is taken for none, so that it is exact to a few milliseconds.
 */
export class LoadClock {
  #startedMs = Number.POSITIVE_INFINITY;

  readonly note = ({ elapsedMs }: LoadProgress): void => {
    this.#startedMs = Math.min(this.#startedMs, systemClock.monotonicMs() - elapsedMs);
  };

  /** Milliseconds from the start of the load. Before the first progress there is no answer: NaN. */
  inLoadMs(monotonicMs: number): number {
    return Number.isFinite(this.#startedMs) ? monotonicMs - this.#startedMs : Number.NaN;
  }
}
