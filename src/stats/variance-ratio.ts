/**
 * How many times as much the sum of a series varies as it would if its values did not depend on each other: 1 for independent
 * values, about (1 + r) / (1 - r) for values that follow the one before with correlation r. As many times fewer values than it
 * has does the series weigh (its effective sample size, as for Markov chains).
 *
 * Autocorrelations are added up in pairs of lags as long as a pair is above zero (Geyer, "Practical Markov Chain Monte Carlo",
 * 1992: the initial positive sequence), over at most a quarter of the series, since longer lags are mostly noise. At least 1:
 * values that avoid each other are no reason to believe them more.
 */
export function varianceRatio(values: readonly number[]): number {
  return new VarianceRatios(values).of(0, values.length);
}

/** The variance ratios of stretches of one series, each around the mean of the stretch. Many stretches cost little more than one. */
export class VarianceRatios {
  /** Around the mean of the whole series, so that sums of products stay small and exact. */
  readonly #values: Float64Array;
  readonly #sums: Float64Array;
  /** By lag: sums of products of each value with the one so many places before it. */
  readonly #products: Float64Array[] = [];

  constructor(values: readonly number[]) {
    const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    this.#values = Float64Array.from(values, (value) => value - mean);
    this.#sums = sumsOf(this.#values.length, (at) => this.#values[at] ?? 0);
  }

  /** Values of the series. */
  get count(): number {
    return this.#values.length;
  }

  /** Of the values from the place `from` up to, and without, the place `to`. */
  of(from: number, to: number): number {
    const count = to - from;
    const variance = this.#covariance(from, to, 0);
    if (!(variance > count * LEAST_VARIANCE)) return 1;
    const lagMax = Math.min(LAGS_MAX, Math.floor(count / LAGS_PER_VALUE));
    let sum = 0;
    for (let lag = 1; lag <= lagMax; lag += 2) {
      const second = lag < lagMax ? this.#covariance(from, to, lag + 1) : 0;
      const pair = (this.#covariance(from, to, lag) + second) / variance;
      if (!(pair > 0)) break;
      sum += pair;
    }
    return 1 + 2 * sum;
  }

  /** Not divided by the count. */
  #covariance(from: number, to: number, lag: number): number {
    const mean = between(this.#sums, from, to) / (to - from);
    const later = between(this.#sums, from + lag, to);
    const earlier = between(this.#sums, from, to - lag);
    const products = between(this.#productsAt(lag), from + lag, to);
    return products - mean * (later + earlier) + (to - from - lag) * mean * mean;
  }

  #productsAt(lag: number): Float64Array {
    const known = this.#products[lag];
    if (known !== undefined) return known;
    const values = this.#values;
    const products = sumsOf(values.length, (at) => (values[at] ?? 0) * (values[at - lag] ?? 0));
    this.#products[lag] = products;
    return products;
  }
}

const LAGS_PER_VALUE = 4;

/** Bounds the work of a look: a dependence that outlasts this many values is beyond what blocks can measure. */
const LAGS_MAX = 60;

/** A series that stands still has no correlations: what is left of its variance is rounding. */
const LEAST_VARIANCE = 1e-12;

/** At each place the sum of all values before it. */
function sumsOf(count: number, valueAt: (at: number) => number): Float64Array {
  const sums = new Float64Array(count + 1);
  let sum = 0;
  for (let at = 0; at < count; at += 1) {
    sum += valueAt(at);
    sums[at + 1] = sum;
  }
  return sums;
}

function between(sums: Float64Array, from: number, to: number): number {
  return (sums[to] ?? 0) - (sums[from] ?? 0);
}
