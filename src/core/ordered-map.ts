type Entry<Key, Value> = { readonly key: Key; value: Value; place: number };

/** Holes that are not worth closing. */
const HOLES_MIN = 64;

/**
 * A `Map` that finds its oldest entry at a constant cost, however many were deleted before it. A `Map` passes all that its table has
 * lost each time: with 100,000 entries of which the oldest always leaves, some 70 us. Here an entry that leaves leaves a hole, and
 * holes are closed from time to time.
 */
export class OrderedMap<Key, Value> {
  readonly #entries = new Map<Key, Entry<Key, Value>>();
  /** In the order in which the keys were added. */
  #places: (Entry<Key, Value> | undefined)[] = [];
  /** No entry is before this place. */
  #head = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Undefined: it is empty. */
  get oldest(): readonly [key: Key, value: Value] | undefined {
    const entry = this.#places[this.#head];
    return entry && [entry.key, entry.value];
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** A key that is known keeps its place. A new one comes last; none may be added while the map is iterated. */
  set(key: Key, value: Value): void {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    if (this.#places.length >= 2 * this.size + HOLES_MIN) this.#closeHoles();
    const entry = { key, value, place: this.#places.length };
    this.#entries.set(key, entry);
    this.#places.push(entry);
  }

  /** False if it was not there. */
  delete(key: Key): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#places[entry.place] = undefined;
    while (this.#head < this.#places.length && this.#places[this.#head] === undefined)
      this.#head += 1;
    return true;
  }

  /** The oldest first; one that leaves meanwhile is skipped. */
  *[Symbol.iterator](): Generator<readonly [key: Key, value: Value], undefined> {
    for (let place = this.#head; place < this.#places.length; place += 1) {
      const entry = this.#places[place];
      if (entry !== undefined) yield [entry.key, entry.value];
    }
  }

  #closeHoles(): void {
    this.#places = this.#places.filter((entry) => entry !== undefined);
    for (const [place, entry] of this.#places.entries())
      if (entry !== undefined) entry.place = place;
    this.#head = 0;
  }
}
