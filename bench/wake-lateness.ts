import { systemClock } from '../src/core/clock.ts';
import { Histogram } from '../src/load/engine/histogram.ts';
import type { LatencySummary } from '../src/load/nouns/load-report.ts';

const SLEEP_MS = 2;

/**
 * How late a thread wakes that sleeps for 2 ms again and again, the machine being idle otherwise: no program that waits can be
 * more punctual than this. Blocks the caller's thread for `durationMs`.
 */
export function wakeLateness(durationMs: number): LatencySummary {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  const late = new Histogram();
  const endMs = systemClock.monotonicMs() + durationMs;
  while (systemClock.monotonicMs() < endMs) {
    const wakeMs = systemClock.monotonicMs() + SLEEP_MS;
    Atomics.wait(nothing, 0, 0, SLEEP_MS);
    late.add(systemClock.monotonicMs() - wakeMs);
  }
  return late.summary();
}
