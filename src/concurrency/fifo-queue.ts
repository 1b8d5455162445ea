/** The place of an entry in a line; of no meaning outside of it. */
export type Standing = { place: number };

/** Holes that are not worth closing. */
const HOLES_MIN = 64;

/**
 * What waits, in the order of its coming; any of it may leave at once. A set would do, but for what its memory does to the
 * garbage collector: a set that has worn out its table moves to another, the old table keeps hold of the new one, and once one
 * of them is old so becomes all that waits after it. Here who leaves leaves a hole, and holes are closed from time to time.
 */
export class Line<T extends Standing> {
  readonly #places: (T | undefined)[] = [];
  /** No entry is before this place. */
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first; undefined: the line is empty. */
  get first(): T | undefined {
    return this.#places[this.#head];
  }

  /** To the end. Not while the line is being read. */
  add(one: T): void {
    if (this.#places.length >= 2 * this.#size + HOLES_MIN) this.#closeHoles();
    one.place = this.#places.length;
    this.#places.push(one);
    this.#size += 1;
  }

  has(one: T): boolean {
    return this.#places[one.place] === one;
  }

  /** False if he did not stand here. */
  delete(one: T): boolean {
    if (!this.has(one)) return false;
    this.#places[one.place] = undefined;
    this.#size -= 1;
    while (this.#head < this.#places.length && this.first === undefined) this.#head += 1;
    return true;
  }

  /** In order; what leaves meanwhile is not met. */
  *[Symbol.iterator](): Generator<T, undefined> {
    for (let place = this.#head; place < this.#places.length; place += 1) {
      const one = this.#places[place];
      if (one !== undefined) yield one;
    }
  }

  #closeHoles(): void {
    let place = 0;
    for (const one of this) {
      one.place = place;
      this.#places[place] = one;
      place += 1;
    }
    this.#places.length = place;
    this.#head = 0;
  }
}
