/** Always a power of two, so that the place of a number is its last bits. */
const PLACES_MIN = 256;

/**
 * A table of what is in flight, each entry under a number of 32 bits. A `Map` would do, but for its memory and the garbage
 * collector: every few hundred changes it moves to a new table, and the old one keeps a reference to the new one, for iterators
 * under way. Once one table is old enough to outlive the small collections, so is every table after it, with all that was in
 * flight when it was left. Here nothing moves while the number of entries stays about the same.
 */
export class InFlightTable<V extends object> {
  #values: (V | undefined)[] = placesFor(PLACES_MIN);
  #numbers = new Uint32Array(PLACES_MIN);
  #next = 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds an entry and returns its number. Numbers rise, and wrap once all 32 bits are used up. */
  add(value: V): number {
    if (this.#size * 2 >= this.#values.length) this.#grow();
    // An entry that stays long keeps its place; numbers that come round to it are skipped.
    while (this.#values[this.#placeOf(this.#next)] !== undefined) this.#step();
    const number = this.#next;
    this.#put(number, value);
    this.#size += 1;
    this.#step();
    return number;
  }

  /**
   * Adds an entry under a number that another table gave out by `add`, and that is not in flight here. All that is in flight here
   * is in flight there, so that as many places are enough here. Throws where the number is in use.
   */
  put(number: number, value: V): void {
    if (this.get(number) !== undefined) throw new Error(`expected a new number, found ${number}`);
    while (this.#values[this.#placeOf(number)] !== undefined) this.#grow();
    this.#put(number, value);
    this.#size += 1;
    this.#next = (number + 1) >>> 0;
  }

  /** Undefined: no entry has this number. */
  get(number: number): V | undefined {
    const place = this.#placeOf(number);
    return this.#numbers[place] === number ? this.#values[place] : undefined;
  }

  /** Removes and returns the entry; undefined: no entry has this number. */
  remove(number: number): V | undefined {
    const value = this.get(number);
    if (value === undefined) return undefined;
    this.#values[this.#placeOf(number)] = undefined;
    this.#size -= 1;
    return value;
  }

  /** All entries with their numbers, oldest first. */
  entries(): readonly (readonly [number, V])[] {
    const found: [number, V][] = [];
    this.#values.forEach((value, place) => {
      if (value !== undefined) found.push([this.#numbers[place] ?? 0, value]);
    });
    // Numbers may have wrapped meanwhile: what counts is how long ago they were given out.
    const age = (number: number): number => (this.#next - number) >>> 0;
    return found.sort(([a], [b]) => age(b) - age(a));
  }

  #step(): void {
    this.#next = (this.#next + 1) >>> 0;
  }

  #placeOf(number: number): number {
    return number & (this.#values.length - 1);
  }

  #put(number: number, value: V): void {
    const place = this.#placeOf(number);
    this.#values[place] = value;
    this.#numbers[place] = number;
  }

  /** Numbers with different places have different places among twice as many, too. */
  #grow(): void {
    const before = this.entries();
    const places = this.#values.length * 2;
    this.#values = placesFor(places);
    this.#numbers = new Uint32Array(places);
    for (const [number, value] of before) this.#put(number, value);
  }
}

function placesFor<V>(places: number): (V | undefined)[] {
  return new Array<V | undefined>(places).fill(undefined);
}
