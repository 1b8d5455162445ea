/** Weight of the past at each new sample: about the last 50 runs count. */
const MEMORY = 0.98;
const SAMPLES_MIN = 5;
/** What a run may take beyond what is expected of it, in mean deviations, before it counts as sure to be late. */
const DEVIATIONS = 2;

/**
 * Learns how long a run of so many rows takes, as t0 + a * rows: least squares over past runs, older ones counting less.
 * Neither part is ever negative. Says 0 until it has seen a run, and the least that it has seen until it knows more, so nothing
 * is refused on a guess.
 */
export class RunTime {
  #samples = 0;
  #weight = 0;
  #rows = 0;
  #ms = 0;
  #rowsRows = 0;
  #rowsMs = 0;
  #leastMs = 0;
  #deviationMs = 0;

  /** A run of `rows` took `ms`. */
  learn(rows: number, ms: number): void {
    if (this.isKnown) {
      const missMs = Math.abs(ms - this.expect(rows));
      this.#deviationMs = this.#deviationMs * MEMORY + missMs * (1 - MEMORY);
    }
    this.#leastMs = this.#samples === 0 ? ms : Math.min(this.#leastMs, ms);
    this.#samples += 1;
    this.#weight = this.#weight * MEMORY + 1;
    this.#rows = this.#rows * MEMORY + rows;
    this.#ms = this.#ms * MEMORY + ms;
    this.#rowsRows = this.#rowsRows * MEMORY + rows * rows;
    this.#rowsMs = this.#rowsMs * MEMORY + rows * ms;
  }

  /** False until it has seen a few runs. */
  get isKnown(): boolean {
    return this.#samples >= SAMPLES_MIN;
  }

  /** Expected milliseconds. */
  expect(rows: number): number {
    if (!this.isKnown) return this.#leastMs;
    const meanRows = this.#rows / this.#weight;
    const meanMs = this.#ms / this.#weight;
    const variance = this.#rowsRows / this.#weight - meanRows * meanRows;
    // Runs of one size say nothing about others: fewer rows may take as long, more rows take longer in proportion.
    if (variance < 1e-9) return meanMs * Math.max(1, rows / Math.max(meanRows, 1e-9));
    const slope = (this.#rowsMs / this.#weight - meanRows * meanMs) / variance;
    const slopeMs = Math.min(Math.max(slope, 0), meanMs / Math.max(meanRows, 1e-9));
    return meanMs + slopeMs * (rows - meanRows);
  }

  /** Milliseconds within which a run most likely ends: what a deadline has to leave for it. */
  allow(rows: number): number {
    return this.expect(rows) + DEVIATIONS * this.#deviationMs;
  }
}
