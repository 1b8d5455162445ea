import type { Clock } from '../core/clock.ts';

export type PaceOptions = {
  /** One live request, answered. */
  readonly ask: () => Promise<void>;
  readonly clock: Clock;
  readonly perSecondMax: number;
};

/** The first requests warm the code up, and are no measure of the machine. */
const WARM_UP_REQUESTS = 30;

/** So long that a machine which lets a process run in spurts, as a container with a part of a core does, shows its true speed. */
const MEASURED_MS = 1_500;

/** A machine on which a request takes longer than this on average gets less traffic, in proportion; milliseconds. */
const MEAN_MS = 3;
const PER_SECOND_MIN = 50;

/**
 * Requests a second that leave a slow or busy machine time for the shadow host, which yields to live requests:
 * with too many, most copies would be dropped. From the mean time of requests that follow one another.
 */
export async function paceOf({ ask, clock, perSecondMax }: PaceOptions): Promise<number> {
  for (let request = 0; request < WARM_UP_REQUESTS; request += 1) await ask();
  const sinceMs = clock.monotonicMs();
  let requests = 0;
  let elapsedMs = 0;
  while (elapsedMs < MEASURED_MS) {
    await ask();
    requests += 1;
    elapsedMs = clock.monotonicMs() - sinceMs;
  }
  const share = Math.min(1, (MEAN_MS * requests) / elapsedMs);
  return Math.max(PER_SECOND_MIN, Math.round(perSecondMax * share));
}
