import type { UnitBits } from '../core/evidence.ts';
import { sortedRecord } from './difference-tally.ts';

/**
 * Which units have counted, as far as a Bloom filter knows: it never forgets one, and takes about one in a hundred new ones for
 * counted. Those are left out independently of their outcomes, which therefore stay unbiased. It outlasts restarts with the evidence.
 *
 * Levels grow fourfold, so that few units take few bytes: 1,536 bytes for the first thousand, 131 KB when all are full.
 */
export class UnitFilter {
  readonly #levels: Uint8Array[] = [];
  /** As evidence has them; undefined where units were added since. Each look asks, and a full level is a hundred kilobytes. */
  readonly #texts: (string | undefined)[] = [];
  /** Bits set at the last level. */
  #set = 0;

  constructor(from: UnitBits) {
    while (from[this.#levels.length] !== undefined) {
      const level = this.#levels.length;
      this.#levels.push(bytesOf(from[level] ?? '', level));
    }
    this.#set = bitsSet(this.#levels.at(-1) ?? new Uint8Array());
  }

  /** `hash`: 16 hex digits. */
  has(hash: string): boolean {
    return this.#levels.some((bytes) => holds(bytes, hash));
  }

  /** Remembers a unit. False where there is no room: no further unit can count. */
  add(hash: string): boolean {
    const bytes = this.#open();
    if (bytes === undefined) return false;
    for (const bit of placesOf(hash, bytes)) {
      if (isSet(bytes, bit)) continue;
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
      this.#set += 1;
    }
    this.#texts[this.#levels.length - 1] = undefined;
    return true;
  }

  snapshot(): UnitBits {
    return sortedRecord(this.#levels.map((_, level) => [`${level}`, this.#textOf(level)]));
  }

  #textOf(level: number): string {
    const text = this.#texts[level] ?? Buffer.from(this.#levels[level] ?? []).toString('base64');
    this.#texts[level] = text;
    return text;
  }

  /** The level that takes new units: a filter is full when half of its bits are set. */
  #open(): Uint8Array | undefined {
    const last = this.#levels.at(-1);
    if (last !== undefined && this.#set * 2 < last.length * 8) return last;
    if (this.#levels.length >= LEVELS_MAX) return undefined;
    const next = new Uint8Array(bytesAt(this.#levels.length));
    this.#levels.push(next);
    this.#set = 0;
    return next;
  }
}

/** Units that either filter has. */
export function joinUnitBits(a: UnitBits, b: UnitBits): UnitBits {
  const levels = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return sortedRecord(
    levels.map((key) => {
      const [first, second] = [
        bytesOf(a[key] ?? '', Number(key)),
        bytesOf(b[key] ?? '', Number(key)),
      ];
      const either = first.map((byte, at) => byte | (second[at] ?? 0));
      return [key, Buffer.from(either).toString('base64')];
    }),
  );
}

/** 1,024 + 4,096 + 16,384 + 65,536 units, `COUNTED_UNITS_MAX`: by then rates have long shown what they can show. */
const LEVELS_MAX = 4;
const FIRST_UNITS = 1_024;
const BITS_PER_UNIT = 12;
/** With 12 bits a unit: 0.3 % false positives of a full level, and half of its bits set. */
const HASHES = 8;

function bytesAt(level: number): number {
  return (FIRST_UNITS * 4 ** level * BITS_PER_UNIT) / 8;
}

function bytesOf(text: string, level: number): Uint8Array {
  const bytes = new Uint8Array(bytesAt(level));
  bytes.set(Buffer.from(text, 'base64').subarray(0, bytes.length));
  return bytes;
}

/** Places by double hashing, from the two halves of a hash. */
function* placesOf(hash: string, { length }: Uint8Array): Generator<number> {
  const first = Number.parseInt(hash.slice(0, 8), 16);
  const step = (Number.parseInt(hash.slice(8, 16), 16) | 1) >>> 0;
  for (let at = 0; at < HASHES; at += 1) yield (first + at * step) % (length * 8);
}

function holds(bytes: Uint8Array, hash: string): boolean {
  for (const bit of placesOf(hash, bytes)) if (!isSet(bytes, bit)) return false;
  return true;
}

function isSet(bytes: Uint8Array, bit: number): boolean {
  return ((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

function bitsSet(bytes: Uint8Array): number {
  let set = 0;
  for (let byte of bytes) for (; byte > 0; byte >>= 1) set += byte & 1;
  return set;
}
