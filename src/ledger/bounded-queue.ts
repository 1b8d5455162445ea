import { LedgerHungError } from './ledger.ts';

/** Shared with a piece of work: true once its caller was told that it takes too long. What it does from then on must not count. */
export type Turn = { isOver: boolean };

/**
 * Runs pieces of work on a disk one after the other, and answers within `msMax` milliseconds even if the disk never does: a piece that
 * takes longer is given up with LedgerHungError. At most one piece is at the disk at any time, one that was given up included, so
 * a disk that never answers holds one thread of the process and no more. What was given up before it began is never begun.
 */
export class BoundedQueue {
  readonly #msMax: number;
  #last: Promise<unknown> = Promise.resolve();
  #givenUp = 0;

  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** True while a piece that was given up is still at the disk, or waits behind one. */
  isStuck(): boolean {
    return this.#givenUp > 0;
  }

  run<Result>(work: (turn: Turn) => Promise<Result>): Promise<Result> {
    const turn: Turn = { isOver: false };
    return new Promise<Result>((resolve, reject) => {
      const timer = setTimeout(() => {
        turn.isOver = true;
        this.#givenUp += 1;
        reject(new LedgerHungError(this.#msMax));
      }, this.#msMax);
      this.#last = this.#last.then(async () => {
        if (!turn.isOver) await work(turn).then(resolve, reject);
        clearTimeout(timer);
        if (turn.isOver) this.#givenUp -= 1;
      });
    });
  }
}
