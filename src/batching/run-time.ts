/** Weight of the past at each new sample: about the last 50 runs count. */
const MEMORY = 0.98;
const SAMPLES_MIN = 5;

/**
 * Learns how long a run of so many rows takes, as t0 + a * rows: least squares over past runs, older ones counting less.
 * Neither part is ever negative. Says 0 until it has seen a few runs, so nothing is refused on a guess.
 */
export class RunTime {
  #samples = 0;
  #weight = 0;
  #rows = 0;
  #ms = 0;
  #rowsRows = 0;
  #rowsMs = 0;

  /** A run of `rows` took `ms`. */
  learn(rows: number, ms: number): void {
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
    if (!this.isKnown) return 0;
    const meanRows = this.#rows / this.#weight;
    const meanMs = this.#ms / this.#weight;
    const variance = this.#rowsRows / this.#weight - meanRows * meanRows;
    // Runs of one size say nothing about others: assume that every run takes as long.
    if (variance < 1e-9) return meanMs;
    const slope = (this.#rowsMs / this.#weight - meanRows * meanMs) / variance;
    const slopeMs = Math.min(Math.max(slope, 0), meanMs / Math.max(meanRows, 1e-9));
    return meanMs + slopeMs * (rows - meanRows);
  }
}
