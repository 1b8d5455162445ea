/** Values that the middle is taken of: few enough to follow a drift. */
const RECENT_MAX = 63;

/**
 * Divides differences above 0 into a near and a far half, each by those before it: by the middle of the last 63. Equal to the middle,
 * they go to the halves in turn. What is measured on the two halves later has no part in it, so that a test of the two stays valid.
 */
export class FarHalf {
  readonly #recent: number[] = [];
  #next = 0;
  #isFarNext = true;

  /** 0: the two are the same, and in neither half. */
  has(apart: number): boolean {
    if (apart === 0) return false;
    const middle = this.#middle();
    this.#recent[this.#next] = apart;
    this.#next = (this.#next + 1) % RECENT_MAX;
    if (middle !== undefined && apart !== middle) return apart > middle;
    this.#isFarNext = !this.#isFarNext;
    return !this.#isFarNext;
  }

  #middle(): number | undefined {
    return [...this.#recent].sort((a, b) => a - b)[this.#recent.length >> 1];
  }
}
