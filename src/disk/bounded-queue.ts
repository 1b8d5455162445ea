/** A disk does not answer. What it was asked to do may still happen, once it does. */
export class DiskHungError extends Error {
  constructor(disk: string, afterMs: number) {
    super(`the disk under ${disk} has not answered for ${afterMs / 1_000} s`);
    this.name = 'DiskHungError';
  }
}

/** Shared with a piece of work: true once its caller got a timeout. Effects after that must be undone. */
export type Turn = { isOver: boolean };

export type BoundedQueueOptions = {
  /** What lies on the disk, for messages: `the ledger`. */
  readonly disk: string;
  /** How long a piece of work may take, its wait for those before it included; milliseconds. */
  readonly msMax: number;
};

/**
 * Runs pieces of work on a disk one after the other, and answers within `msMax` milliseconds even if the disk never does: a piece that
 * takes longer is given up with DiskHungError. At most one piece is at the disk at any time, one that was given up included, so
 * a disk that never answers holds one of the few threads that this process has for files, and no more. What was given up before
 * it began is never begun.
 */
export class BoundedQueue {
  readonly #options: BoundedQueueOptions;
  #last: Promise<unknown> = Promise.resolve();
  #givenUp = 0;

  constructor(options: BoundedQueueOptions) {
    this.#options = options;
  }

  /** True while a piece that was given up is still at the disk, or waits behind one. */
  isStuck(): boolean {
    return this.#givenUp > 0;
  }

  run<Result>(work: (turn: Turn) => Promise<Result>): Promise<Result> {
    const { disk, msMax } = this.#options;
    const turn: Turn = { isOver: false };
    return new Promise<Result>((resolve, reject) => {
      const timer = setTimeout(() => {
        turn.isOver = true;
        this.#givenUp += 1;
        reject(new DiskHungError(disk, msMax));
      }, msMax);
      this.#last = this.#last.then(async () => {
        if (!turn.isOver) await work(turn).then(resolve, reject);
        clearTimeout(timer);
        if (turn.isOver) this.#givenUp -= 1;
      });
    });
  }
}
