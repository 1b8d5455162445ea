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

/** The variance ratios of stretches of one series. Many stretches cost little more than one. */
export class VarianceRatios {
  /** Around the mean of the whole series, so that sums of products stay small and exact. */
  readonly #values: Float64Array;
  readonly #sums: Float64Array;
  /** Sums of values times their places. */
  readonly #moments: Float64Array;
  /** By lag: sums of products of each value with the one so many places before it. */
  readonly #products: Float64Array[] = [];

  constructor(values: readonly number[]) {
    const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    this.#values = Float64Array.from(values, (value) => value - mean);
    this.#sums = sumsOf(values.length, (at) => this.#values[at] ?? 0);
    this.#moments = sumsOf(values.length, (at) => at * (this.#values[at] ?? 0));
  }

  /** Values of the series. */
  get count(): number {
    return this.#values.length;
  }

  /** Of the values from the place `from` up to, and without, the place `to`, around their mean. */
  of(from: number, to: number): number {
    return this.#around({ from, to, level: between(this.#sums, from, to) / (to - from), slope: 0 });
  }

  /** The same around the straight line that fits best, if it rises: a steady rise is no noise. */
  ofRising(from: number, to: number): number {
    const count = to - from;
    const middle = (count - 1) / 2;
    const sum = between(this.#sums, from, to);
    const spread = (count * (count * count - 1)) / 12;
    const slope = Math.max(0, (this.#momentFrom(from, from, to) - middle * sum) / spread);
    return this.#around({ from, to, level: sum / count - slope * middle, slope });
  }

  #around(line: Line): number {
    const count = line.to - line.from;
    const variance = this.#covariance(line, 0);
    if (!(variance > count * LEAST_VARIANCE)) return 1;
    const lagMax = Math.min(LAGS_MAX, Math.floor(count / LAGS_PER_VALUE));
    let sum = 0;
    for (let lag = 1; lag <= lagMax; lag += 2) {
      const second = lag < lagMax ? this.#covariance(line, lag + 1) : 0;
      const pair = (this.#covariance(line, lag) + second) / variance;
      if (!(pair > 0)) break;
      sum += pair;
    }
    return 1 + 2 * sum;
  }

  /**
   * Not divided by the count. With y for a value, p for the line and L for the lag, the sum of (y(k) - p(k)) (y(k - L) - p(k - L)),
   * multiplied out so that sums over any stretch are differences of two sums.
   */
  #covariance({ from, to, level, slope }: Line, lag: number): number {
    const count = to - from - lag;
    const later = between(this.#sums, from + lag, to);
    const earlier = between(this.#sums, from, to - lag);
    const withLaterLine =
      (level + slope * lag) * earlier + slope * this.#momentFrom(from, from, to - lag);
    const withEarlierLine =
      (level - slope * lag) * later + slope * this.#momentFrom(from, from + lag, to);
    const places = (count * (count - 1)) / 2;
    const squares = (places * (2 * count - 1)) / 3;
    const lines =
      count * level * level +
      2 * level * slope * places +
      slope * slope * squares +
      slope * lag * (count * level + slope * places);
    return between(this.#productsAt(lag), from + lag, to) - withLaterLine - withEarlierLine + lines;
  }

  /** The sum of values times their distance from the place `origin`. */
  #momentFrom(origin: number, from: number, to: number): number {
    return between(this.#moments, from, to) - origin * between(this.#sums, from, to);
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

/** What the values from `from` to `to` are taken around: `level` at the first of them, and so much more at each further one. */
type Line = {
  readonly from: number;
  readonly to: number;
  readonly level: number;
  readonly slope: number;
};

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
