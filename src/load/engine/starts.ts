import type { Random } from '../../core/random.ts';
import type { Arrivals, ScheduledArrivals } from '../nouns/arrivals.ts';
import { dueTimes } from './cumulated-rate.ts';
import { unitGaps } from './unit-gaps.ts';

/**
 * The intended starts of a load, one after the other, in milliseconds from its start; undefined when the next one would not
 * be within `durationMs`. Gaps of a rate of one are stretched so that they follow the rate (time-rescaling: a Poisson
 * process stays one). The same seed has the same starts. Throws a RangeError for arrivals that make no sense.
 */
export function startsOf(
  arrivals: ScheduledArrivals,
  durationMs: number,
  random: Random,
): () => number | undefined {
  const next =
    arrivals.kind === 'open'
      ? openStarts(arrivals, durationMs, random)
      : recordedStarts(arrivals.atMs);
  return () => {
    const atMs = next();
    return atMs < durationMs ? atMs : undefined;
  };
}

function openStarts(
  { rate, spacing }: Arrivals & { kind: 'open' },
  durationMs: number,
  random: Random,
): () => number {
  const dueMs = dueTimes(rate, durationMs);
  const gap = unitGaps(spacing, random);
  let requests = 0;
  return () => {
    requests += gap();
    return dueMs(requests);
  };
}

function recordedStarts(atMs: readonly number[]): () => number {
  for (const [place, ms] of atMs.entries()) {
    const before = place === 0 ? 0 : (atMs[place - 1] ?? 0);
    if (!(ms >= before && Number.isFinite(ms)))
      throw new RangeError(
        `expected recorded starts that do not decrease from 0, found ${ms} ms after ${before} ms`,
      );
  }
  let sent = 0;
  return () => {
    sent += 1;
    return atMs[sent - 1] ?? Number.POSITIVE_INFINITY;
  };
}
