import { ServeError } from '../../core/errors.ts';

/** Holds nested lists to be regular: all lists of one depth have one length, and elements stand at one depth. */
export class Nesting {
  readonly #name: string;
  /** By depth: the items so far of the list that is open there. */
  readonly #items: number[] = [];
  /** By depth: the items of the first list that ended there. */
  readonly #lengths: number[] = [];
  /** Where elements stand; -1 before the first. */
  #elementDepth = -1;

  /** The name is the input's, for messages. */
  constructor(name: string) {
    this.#name = name;
  }

  /** A list begins inside of `depth` others. Positions are bytes of the JSON. */
  open(depth: number, at: number): void {
    if (depth === this.#elementDepth) {
      throw this.#ragged('elements alone, as in the lists before', 'a list', at);
    }
    if (depth > 0) this.#count(depth - 1, 1);
    this.#items[depth] = 0;
  }

  /** Elements stand inside of `depth` lists. */
  add(depth: number, count: number, at: number): void {
    if (depth < this.#items.length || (this.#elementDepth !== -1 && depth !== this.#elementDepth)) {
      throw this.#ragged('lists alone, as in the lists before', 'an element', at);
    }
    this.#elementDepth = depth;
    this.#count(depth - 1, count);
  }

  /** The list that is inside of `depth` others ends. */
  close(depth: number, at: number): void {
    const found = this.#items[depth] ?? 0;
    const expected = this.#lengths[depth];
    if (expected === undefined) this.#lengths[depth] = found;
    else if (expected !== found) {
      throw this.#ragged(`a list of ${expected}, as the first of its depth`, `one of ${found}`, at);
    }
  }

  #count(depth: number, count: number): void {
    this.#items[depth] = (this.#items[depth] ?? 0) + count;
  }

  #ragged(expected: string, found: string, at: number): ServeError {
    return new ServeError(
      'invalid_input',
      `ragged data of input '${this.#name}': expected ${expected}, found ${found} at byte ${at}`,
    );
  }
}
