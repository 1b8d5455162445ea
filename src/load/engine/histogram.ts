import type { LatencySummary, PercentileCurve } from '../nouns/load-report.ts';

/** Steps in each doubling. A value is given back as the middle of its step: at most 1/2048 (0.05 %) off. */
const STEPS = 1024;
/** A nanosecond. What is shorter counts as zero. */
const SHORTEST_MS = 1e-6;
/** Points of a curve from one halving of what is left above to the next. */
const POINTS_PER_HALVING = 4;

/** A histogram as plain data: only the steps that hold something. */
export type HistogramData = {
  readonly sumMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Rising, each with its count. */
  readonly steps: readonly number[];
  readonly counts: readonly number[];
};

/**
 * Durations counted in steps whose width grows with them, as in HdrHistogram: two of them add up to the histogram of both.
 * A step is the exponent of a double and the first ten bits of its fraction, so that finding it takes no logarithm. Each
 * doubling gets its counters when it is first met: many small histograms, one for each interval of a load, stay small.
 */
export class Histogram {
  readonly #doublings: (Float64Array | undefined)[] = [];
  #count = 0;
  #sumMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** Exact; 0 for none. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  /** A duration below zero counts as zero. */
  add(ms: number): void {
    const duration = ms < SHORTEST_MS ? 0 : ms;
    this.#countAt(stepOf(duration), 1);
    this.#sumMs += duration;
    if (duration > this.#maxMs) this.#maxMs = duration;
    if (duration < this.#minMs) this.#minMs = duration;
  }

  addAll(data: HistogramData): void {
    for (const [place, step] of data.steps.entries()) this.#countAt(step, data.counts[place] ?? 0);
    this.#sumMs += data.sumMs;
    this.#minMs = Math.min(this.#minMs, data.minMs);
    this.#maxMs = Math.max(this.#maxMs, data.maxMs);
  }

  data(): HistogramData {
    const steps: number[] = [];
    const counts: number[] = [];
    this.#visit((step, count) => {
      steps.push(step);
      counts.push(count);
      return true;
    });
    return { sumMs: this.#sumMs, minMs: this.#minMs, maxMs: this.#maxMs, steps, counts };
  }

  /** The duration that `percentile` (0 to 100) of all do not exceed, by the nearest rank; 0 for none. */
  percentileMs(percentile: number): number {
    return this.#percentilesMs([percentile])[0] ?? 0;
  }

  summary(): LatencySummary {
    const [p50Ms = 0, p90Ms = 0, p95Ms = 0, p99Ms = 0, p999Ms = 0] = this.#percentilesMs([
      50, 90, 95, 99, 99.9,
    ]).map(toTenthOfMicrosecond);
    return {
      count: this.#count,
      meanMs: toTenthOfMicrosecond(this.meanMs),
      p50Ms,
      p90Ms,
      p95Ms,
      p99Ms,
      p999Ms,
      maxMs: toTenthOfMicrosecond(this.#maxMs),
    };
  }

  /** As many points for the upper half as for the upper quarter, and so on until the last is the greatest of all. */
  curve(): PercentileCurve {
    if (this.#count === 0) return [];
    const percentiles: number[] = [];
    for (let above = 1; above * this.#count > 1; above /= 2) {
      for (let point = 0; point < POINTS_PER_HALVING; point += 1)
        percentiles.push(100 * (1 - above * (1 - point / (2 * POINTS_PER_HALVING))));
    }
    percentiles.push(100);
    const durations = this.#percentilesMs(percentiles).map(toTenthOfMicrosecond);
    return percentiles.map((percentile, place) => [percentile, durations[place] ?? 0] as const);
  }

  /** In one walk. `percentiles` must rise. */
  #percentilesMs(percentiles: readonly number[]): number[] {
    const found: number[] = [];
    let below = 0;
    this.#visit((step, count) => {
      below += count;
      while (found.length < percentiles.length) {
        const rank = this.#rankOf(percentiles[found.length] ?? 100);
        if (rank > below) return true;
        const ms = rank === this.#count ? this.#maxMs : middleOf(step);
        found.push(Math.min(this.#maxMs, Math.max(this.#minMs, ms)));
      }
      return false;
    });
    return found;
  }

  /** From 1. What the product of two rounded numbers is off by must not make it the next rank. */
  #rankOf(percentile: number): number {
    if (percentile >= 100) return this.#count;
    return Math.max(1, Math.ceil((percentile * this.#count) / 100 - 1e-9));
  }

  #countAt(step: number, count: number): void {
    const doubling = Math.floor(step / STEPS);
    const counters = this.#doublings[doubling] ?? this.#open(doubling);
    const place = step % STEPS;
    counters[place] = (counters[place] ?? 0) + count;
    this.#count += count;
  }

  #open(doubling: number): Float64Array {
    const counters = new Float64Array(STEPS);
    this.#doublings[doubling] = counters;
    return counters;
  }

  /** Steps that hold something, rising, until `visit` says no. */
  #visit(visit: (step: number, count: number) => boolean): void {
    for (const [doubling, counters] of this.#doublings.entries()) {
      if (!counters) continue;
      for (let place = 0; place < STEPS; place += 1) {
        const count = counters[place] ?? 0;
        if (count > 0 && !visit(doubling * STEPS + place, count)) return;
      }
    }
  }
}

const bits = new DataView(new ArrayBuffer(8));

/** Doublings are counted from the one of the shortest duration; the first is left to zero. */
const FIRST_DOUBLING = exponentOf(SHORTEST_MS) - 1;

function exponentOf(ms: number): number {
  bits.setFloat64(0, ms);
  return bits.getUint32(0) >>> 20;
}

function stepOf(ms: number): number {
  if (ms === 0) return 0;
  bits.setFloat64(0, ms);
  return (bits.getUint32(0) >>> 10) - FIRST_DOUBLING * STEPS;
}

function middleOf(step: number): number {
  if (step === 0) return 0;
  bits.setUint32(0, (step + FIRST_DOUBLING * STEPS) * STEPS + STEPS / 2);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

function toTenthOfMicrosecond(ms: number): number {
  return Math.round(ms * 1e4) / 1e4;
}
