import type { LoadProgress } from '../nouns/load-report.ts';
import { Histogram, type HistogramData } from './histogram.ts';

/** One process's progress report of its share of a running load. Plain data. */
export type Pulse = {
  readonly elapsedMs: number;
  readonly inFlight: number;
  readonly waiting: number;
  /** Since the last pulse. */
  readonly answers: number;
  readonly sinceMs: number;
  readonly latency: HistogramData;
  /** Since the start. */
  readonly errors: number;
};

/** The pulses of all processes as one. */
export function progressOf(
  pulses: readonly Pulse[],
  { durationMs, warmupMs }: { durationMs: number; warmupMs: number },
): LoadProgress {
  const sum = (count: (pulse: Pulse) => number): number =>
    pulses.reduce((total, pulse) => total + count(pulse), 0);
  const latency = new Histogram();
  for (const pulse of pulses) latency.addAll(pulse.latency);
  const elapsedMs = Math.max(0, ...pulses.map((pulse) => pulse.elapsedMs));
  return {
    elapsedMs: Math.min(elapsedMs, durationMs),
    durationMs,
    warmup: elapsedMs < warmupMs,
    inFlight: sum((pulse) => pulse.inFlight),
    waiting: sum((pulse) => pulse.waiting),
    answersPerSecond: sum((pulse) =>
      pulse.sinceMs > 0 ? (1000 * pulse.answers) / pulse.sinceMs : 0,
    ),
    p50Ms: latency.percentileMs(50),
    p99Ms: latency.percentileMs(99),
    errors: sum((pulse) => pulse.errors),
  };
}
