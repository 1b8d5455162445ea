/**
 * The reference's past p-quantile of total time. Predictable: what is compared with it cannot have moved it, since it comes
 * from requests that were folded in before. That alone makes "slower than the threshold" a fair coin between two equal arms,
 * regardless of the quantile's own error, so it can begin early: the n-th request exceeds the rank ceil(p (n + 1)) of those before
 * with a probability of 1 - p at most.
 *
 * Until the reference has had enough requests of its own, the threshold is that of what stable answered before (`learn`): at a small
 * share the reference takes thousands of requests of the model to get there. Where the reference exceeds that threshold far more often
 * than it should, times have changed since, and nothing is slow until its own is known.
 *
 * The past is kept as counts in buckets of 1 % width (logarithmic, as DDSketch has them: Masson, Rim and Lee, VLDB 2019), at
 * most some 1,500 of them.
 */
export class SlowThreshold {
  readonly #burnIn: number;
  readonly #own: Past;
  readonly #before: Past;
  /** How many more requests of the reference may be slower than what was learned before. */
  #doubts: number;

  /**
   * @param quantile in (0, 1): 0.99 calls the slowest hundredth slow.
   * @param burnInAbove about so many of the past requests lie above the first threshold.
   */
  constructor(quantile: number, burnInAbove = BURN_IN_ABOVE) {
    if (!(quantile > 0 && quantile < 1)) {
      throw new RangeError(`quantile: expected a number between 0 and 1, found ${quantile}`);
    }
    this.#burnIn = Math.ceil(burnInAbove / (1 - quantile));
    this.#own = new Past(quantile, this.#burnIn);
    this.#before = new Past(quantile, this.#burnIn);
    this.#doubts = 3 * burnInAbove + 3;
  }

  /** Requests of the reference before the first threshold. */
  get burnIn(): number {
    return this.#burnIn;
  }

  /** Longer than this, in milliseconds, is slow. Undefined during burn-in: nothing is slow yet. */
  get thresholdMs(): number | undefined {
    const { thresholdMs } = this.#own;
    return thresholdMs === undefined && this.#doubts > 0 ? this.#before.thresholdMs : thresholdMs;
  }

  /** One more finished request of the reference. */
  add(totalMs: number): void {
    const learnedMs = this.#before.thresholdMs;
    if (learnedMs !== undefined && totalMs > learnedMs) this.#doubts -= 1;
    this.#own.add(totalMs);
  }

  /** One that stable answered before any that is compared with the threshold. */
  learn(totalMs: number): void {
    this.#before.add(totalMs);
  }
}

/** Total times that came in, and their quantile. */
class Past {
  readonly #quantile: number;
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #nextAt: number;
  #thresholdMs: number | undefined;

  constructor(quantile: number, burnIn: number) {
    this.#quantile = quantile;
    this.#nextAt = burnIn;
  }

  get thresholdMs(): number | undefined {
    return this.#thresholdMs;
  }

  add(totalMs: number): void {
    const bucket = bucketOf(totalMs);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count += 1;
    if (this.#count < this.#nextAt) return;
    this.#thresholdMs = this.#quantileMs();
    // Often while little is known, then at a steady pace: a threshold that stands still is cheap and as fair.
    this.#nextAt = this.#count + Math.min(RECOMPUTE_EVERY, Math.ceil(this.#count / 4));
  }

  #quantileMs(): number {
    let left = Math.ceil(this.#quantile * (this.#count + 1));
    for (const bucket of [...this.#buckets.keys()].sort((a, b) => a - b)) {
      left -= this.#buckets.get(bucket) ?? 0;
      if (left <= 0) return upperEdgeMs(bucket);
    }
    return Number.POSITIVE_INFINITY;
  }
}

/** The fewest: below them lies none of the ranks. */
const BURN_IN_ABOVE = 1;
const RECOMPUTE_EVERY = 250;

const GROWTH = 1.01;
const SMALLEST_MS = 0.001;
const LARGEST_MS = 3_600_000;

function bucketOf(ms: number): number {
  const bounded = Math.min(Math.max(ms, SMALLEST_MS), LARGEST_MS);
  return Math.ceil(Math.log(bounded / SMALLEST_MS) / Math.log(GROWTH));
}

function upperEdgeMs(bucket: number): number {
  return SMALLEST_MS * GROWTH ** bucket;
}
