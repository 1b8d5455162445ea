import { ServeError } from '../../core/errors.ts';

/**
 * How many small things (parameters, dimensions, parts of contents) one message may still hold. Each takes two bytes of the
 * message and a hundred times that in memory, and all of them are read without a pause on the serving thread.
 */
export class Quota {
  readonly #max: number;
  #left: number;

  constructor(max: number) {
    this.#max = max;
    this.#left = max;
  }

  /** @throws ServeError `too_large` once there have been too many. */
  take(what: string, count = 1): void {
    this.#left -= count;
    if (this.#left >= 0) return;
    throw new ServeError(
      'too_large',
      `too many ${what}: expected at most ${this.#max} in one request, found more`,
    );
  }
}
