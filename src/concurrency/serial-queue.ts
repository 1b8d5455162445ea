/** Runs pieces of work one after the other, in the order they came. A piece that fails does not stop the next. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** True while nothing runs and nothing waits. */
  isIdle(): boolean {
    return this.#waiting === 0;
  }

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#waiting += 1;
    const result = this.#last.then(work);
    this.#last = result
      .catch(() => undefined)
      .then(() => {
        this.#waiting -= 1;
      });
    return result;
  }

  /** Resolves when everything that was given so far has run. */
  async drained(): Promise<void> {
    await this.#last;
  }
}
