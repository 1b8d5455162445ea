/** The place of an entry in a queue; of no meaning outside of it. */
export type QueuePlace = { place: number };

/** Holes that are not worth closing. */
const HOLES_MIN = 64;

/**
 * A FIFO queue that entries may leave from any place. A `Set` would do, but for its memory and the garbage collector: a set that
 * has worn out its table moves to another, the old table keeps a reference to the new one, and once one of them is old, so is all
 * that waits after it. Here an entry that leaves leaves a hole, and holes are closed from time to time.
 */
export class FifoQueue<T extends QueuePlace> {
  readonly #places: (T | undefined)[] = [];
  /** No entry is before this place. */
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Undefined: the queue is empty. */
  get first(): T | undefined {
    return this.#places[this.#head];
  }

  /** To the end. Not while the queue is being iterated. */
  add(entry: T): void {
    if (this.#places.length >= 2 * this.#size + HOLES_MIN) this.#closeHoles();
    entry.place = this.#places.length;
    this.#places.push(entry);
    this.#size += 1;
  }

  has(entry: T): boolean {
    return this.#places[entry.place] === entry;
  }

  /** False if it is not in the queue. */
  delete(entry: T): boolean {
    if (!this.has(entry)) return false;
    this.#places[entry.place] = undefined;
    this.#size -= 1;
    while (this.#head < this.#places.length && this.first === undefined) this.#head += 1;
    return true;
  }

  /** In order; an entry that leaves meanwhile is skipped. */
  *[Symbol.iterator](): Generator<T, undefined> {
    for (let place = this.#head; place < this.#places.length; place += 1) {
      const entry = this.#places[place];
      if (entry !== undefined) yield entry;
    }
  }

  #closeHoles(): void {
    let place = 0;
    for (const entry of this) {
      entry.place = place;
      this.#places[place] = entry;
      place += 1;
    }
    this.#places.length = place;
    this.#head = 0;
  }
}
