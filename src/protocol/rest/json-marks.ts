import { BYTE } from './json-bytes.ts';

/** The bytes that mean something for finding where a tensor ends. */
const MARKS = [BYTE.openBracket, BYTE.closeBracket, BYTE.quote] as const;

/** Bytes searched at a time: some ten microseconds. */
const WINDOW_BYTES = 262_144;

/** Bytes looked at one by one before a native search, which costs as much as they do. */
const NEAR_BYTES = 256;

/**
 * Finds the next bracket or quote, natively over long stretches without any. Each kind of mark is searched on its own and
 * what was found is kept until the scan has passed it, so no byte is searched more than three times, for any order of
 * the marks.
 */
export class Marks {
  readonly #bytes: Buffer;
  /** For each mark, a place that none of its kind stands before. */
  readonly #next: number[] = [0, 0, 0];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** A place from `from` on that no mark stands before: a mark's own, unless the search reached the end of its slice. */
  next(from: number): number {
    const bytes = this.#bytes;
    const near = Math.min(from + NEAR_BYTES, bytes.byteLength);
    for (let at = from; at < near; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === BYTE.openBracket || byte === BYTE.closeBracket || byte === BYTE.quote) return at;
    }
    let first = Math.min(near + WINDOW_BYTES, bytes.byteLength);
    for (const [kind, mark] of MARKS.entries())
      first = Math.min(first, this.#find(kind, mark, near));
    return first;
  }

  #find(kind: number, mark: number, from: number): number {
    const known = this.#next[kind] ?? 0;
    if (known > from || (known === from && this.#bytes[from] === mark)) return known;
    const window = this.#bytes.subarray(from, from + WINDOW_BYTES);
    const found = window.indexOf(mark);
    const next = from + (found === -1 ? window.byteLength : found);
    this.#next[kind] = next;
    return next;
  }
}
