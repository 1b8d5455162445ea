import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Percentiles in milliseconds, rounded to the microsecond. */
export type LatencySummary = {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
};

/** Collects durations with a relative error below 0.1 %. */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ figures: 4 });

  add(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1000)));
  }

  summary(): LatencySummary {
    const at = (percentile: number): number => this.#histogram.percentile(percentile) / 1000;
    const count = this.#histogram.count;
    if (count === 0) return { count, meanMs: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 };
    const meanMs = Math.round(this.#histogram.mean) / 1000;
    return {
      count,
      meanMs,
      p50Ms: at(50),
      p90Ms: at(90),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: this.#histogram.max / 1000,
    };
  }
}
