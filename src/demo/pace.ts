import type { Clock } from '../core/clock.ts';

export type PaceOptions = {
  /** One live request, answered. */
  readonly ask: () => Promise<void>;
  readonly clock: Clock;
  readonly perSecondMax: number;
};

const REQUESTS = 60;

/** A machine on which half of the requests take longer than this gets less traffic, in proportion; milliseconds. */
const MEDIAN_MS = 8;
const PER_SECOND_MIN = 50;

/**
 * Requests a second that leave a slow or busy machine time for the shadow lane, which yields to everything that answers people:
 * with too many, nothing would ever be compared. From the median time of some requests, one after the other.
 */
export async function paceOf({ ask, clock, perSecondMax }: PaceOptions): Promise<number> {
  const times: number[] = [];
  for (let request = 0; request < REQUESTS; request += 1) {
    const sinceMs = clock.monotonicMs();
    await ask();
    times.push(clock.monotonicMs() - sinceMs);
  }
  const medianMs = times.sort((a, b) => a - b)[REQUESTS / 2] ?? 0;
  const share = Math.min(1, MEDIAN_MS / Math.max(medianMs, 1));
  return Math.max(PER_SECOND_MIN, Math.round(perSecondMax * share));
}
