/** Always a power of two, so that a number's place is its last bits. */
const PLACES_MIN = 256;

/**
 * Things in flight, each under a number of 32 bits that is given out for it. A `Map` would do, but for what its memory does to
 * the garbage collector: every few hundred changes it moves to a new table, and the old table keeps hold of the new one, for the
 * sake of those who are iterating. Once one table has grown old enough to outlive the small collections, so does every table
 * after it, with all that was in flight when it was left. Here nothing moves while the number of things stays about the same.
 */
export class Slots<V extends object> {
  #values: (V | undefined)[] = placesFor(PLACES_MIN);
  #numbers = new Uint32Array(PLACES_MIN);
  #next = 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Takes something up, and returns its number. Numbers rise, and wrap once all 32 bits are used up. */
  add(value: V): number {
    if (this.#size * 2 >= this.#values.length) this.#grow();
    // What stays long keeps its place; those that come round to it are put behind it.
    while (this.#values[this.#placeOf(this.#next)] !== undefined) this.#step();
    const number = this.#next;
    this.#put(number, value);
    this.#size += 1;
    this.#step();
    return number;
  }

  /**
   * Takes something up under a number that others gave out, as `add` does, and that is not in flight here. All in flight here is
   * in flight there, so that places enough for them are enough here.
   */
  put(number: number, value: V): void {
    if (this.get(number) !== undefined) throw new Error(`expected a new number, found ${number}`);
    while (this.#values[this.#placeOf(number)] !== undefined) this.#grow();
    this.#put(number, value);
    this.#size += 1;
    this.#next = (number + 1) >>> 0;
  }

  /** What has this number; undefined where there is none of this number. */
  get(number: number): V | undefined {
    const place = this.#placeOf(number);
    return this.#numbers[place] === number ? this.#values[place] : undefined;
  }

  /** What had this number, which is not in flight any more; undefined where there is none of this number. */
  remove(number: number): V | undefined {
    const value = this.get(number);
    if (value === undefined) return undefined;
    this.#values[this.#placeOf(number)] = undefined;
    this.#size -= 1;
    return value;
  }

  /** All that is in flight now with its number, in the order in which it came. */
  entries(): readonly (readonly [number, V])[] {
    const found: [number, V][] = [];
    this.#values.forEach((value, place) => {
      if (value !== undefined) found.push([this.#numbers[place] ?? 0, value]);
    });
    // The numbers may have wrapped meanwhile: what counts is how long ago they were given out.
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
