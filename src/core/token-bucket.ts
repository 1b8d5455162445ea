/** How fast a bucket fills, and how many tokens it has when it is full. */
export type BucketRate = { readonly perSecond: number; readonly burst: number };

/**
 * A token bucket: `burst` at once, and `perSecond` in the long run. The rate comes with each call, since it may change; what was taken
 * stays taken. A time before the last one counts as the last one.
 */
export class TokenBucket {
  /** Undefined: as many as a full bucket has. */
  #tokens: number | undefined;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Takes one token, and gives 0; else the milliseconds until there will be one, and takes none. */
  take(rate: BucketRate, nowMs: number): number {
    const waitMs = this.waitMs(rate, nowMs);
    if (waitMs > 0) return waitMs;
    this.#tokens = this.#filled(rate, nowMs) - 1;
    this.#atMs = Math.max(nowMs, this.#atMs);
    return 0;
  }

  /** Milliseconds until there is a token, rounded up; 0: there is one. */
  waitMs(rate: BucketRate, nowMs: number): number {
    const tokens = this.#filled(rate, nowMs);
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / rate.perSecond) * 1_000);
  }

  /** A bucket that is new is so too. */
  isFull(rate: BucketRate, nowMs: number): boolean {
    return this.#filled(rate, nowMs) >= rate.burst;
  }

  #filled({ perSecond, burst }: BucketRate, nowMs: number): number {
    if (this.#tokens === undefined) return burst;
    const passedMs = Math.max(0, nowMs - this.#atMs);
    return Math.min(burst, this.#tokens + (passedMs / 1_000) * perSecond);
  }
}
