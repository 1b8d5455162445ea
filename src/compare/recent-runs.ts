/** Runs that are remembered: more than can begin while a pair of one of them still waits for the anchor. */
const RUNS_MAX = 4_096;

/**
 * The runs of the shadow host that have been seen of late, by number. Pairs of one run come one after another only where none of them
 * waits for the anchor: else those of other runs come between them.
 */
export class RecentRuns {
  readonly #runs = new Set<number>();
  /** The same in the order in which they were added, in a ring: a set finds its oldest only by passing all that it has lost. */
  readonly #order: number[] = [];
  #next = 0;

  has(run: number | undefined): boolean {
    return run !== undefined && this.#runs.has(run);
  }

  /** Nothing for a pair of no run that is known. */
  add(run: number | undefined): void {
    if (run === undefined || this.#runs.has(run)) return;
    const oldest = this.#order[this.#next];
    if (oldest !== undefined) this.#runs.delete(oldest);
    this.#runs.add(run);
    this.#order[this.#next] = run;
    this.#next = (this.#next + 1) % RUNS_MAX;
  }
}
