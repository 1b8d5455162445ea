/** Runs that are remembered: more than can begin while a pair of one of them still waits for the anchor. */
const RUNS_MAX = 4_096;

/**
 * The runs of the shadow host that have been seen of late, by number. Pairs of one run come one after another only where none of them
 * waits for the anchor: else those of other runs come between them.
 */
export class RecentRuns {
  readonly #runs = new Set<number>();

  has(run: number | undefined): boolean {
    return run !== undefined && this.#runs.has(run);
  }

  /** Nothing for a pair of no run that is known. */
  add(run: number | undefined): void {
    if (run === undefined) return;
    this.#runs.add(run);
    const [oldest] = this.#runs;
    if (this.#runs.size > RUNS_MAX && oldest !== undefined) this.#runs.delete(oldest);
  }
}
