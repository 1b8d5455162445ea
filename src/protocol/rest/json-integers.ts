import { INTEGER_RANGES, LONG_RANGES } from '../../core/numbers.ts';
import { DTYPE_BYTES } from '../../core/tensor.ts';
import type { ElementReader, ElementSource } from './element-reader.ts';
import { NumberReader } from './json-number.ts';
import { nextNumber, outOfRange } from './json-range.ts';

/** Integers of one to four bytes. Written byte by byte: the same loop then serves all of them at full speed. */
export function integerReader(
  source: ElementSource,
  dtype: keyof typeof INTEGER_RANGES,
): ElementReader {
  const { json, capacity } = source;
  const range = { ...INTEGER_RANGES[dtype], isInteger: true };
  const { min, max } = range;
  const size = DTYPE_BYTES[dtype];
  const numbers = new NumberReader(json);
  const target = new Uint8Array(capacity * size);
  const reader = {
    count: 0,
    read(from: number, until: number): number {
      let index = reader.count;
      for (let next = from; next !== -1 && next < until; next = nextNumber(json, numbers.at)) {
        const value = numbers.value(next);
        if (!(value >= min && value <= max && Number.isInteger(value))) {
          throw outOfRange(source, numbers.text(), range);
        }
        if (index < capacity) writeLow(target, index * size, { value, size });
        index += 1;
      }
      reader.count = index;
      return numbers.at;
    },
    bytes: () => target,
  };
  return reader;
}

/** The low bytes of a whole number in two's complement, little-endian. */
function writeLow(
  target: Uint8Array,
  at: number,
  { value, size }: { readonly value: number; readonly size: number },
): void {
  target[at] = value;
  if (size === 1) return;
  target[at + 1] = value >> 8;
  if (size === 2) return;
  target[at + 2] = value >> 16;
  target[at + 3] = value >> 24;
}

/** 64-bit integers, exact beyond 2^53: long ones never pass through a double. */
export function wideReader(source: ElementSource, dtype: 'INT64' | 'UINT64'): ElementReader {
  const { json, capacity } = source;
  const range = { ...LONG_RANGES[dtype], isInteger: true };
  const isSigned = dtype === 'INT64';
  const numbers = new NumberReader(json);
  const words = new WideWords(capacity);
  const reader = {
    count: 0,
    read(from: number, until: number): number {
      let index = reader.count;
      for (let next = from; next !== -1 && next < until; next = nextNumber(json, numbers.at)) {
        const value = numbers.value(next);
        if (Number.isSafeInteger(value) && (isSigned || value >= 0)) words.setSafe(index, value);
        else {
          const exact = longValue(numbers);
          if (exact === undefined || exact < range.min || exact > range.max) {
            throw outOfRange(source, numbers.text(), range);
          }
          words.setLong(index, exact);
        }
        index += 1;
      }
      reader.count = index;
      return numbers.at;
    },
    bytes: () => words.bytes(),
  };
  return reader;
}

/** 64-bit words, of which most are small enough to need no BigInt. Those past the end are dropped. */
class WideWords {
  readonly #words: BigUint64Array;
  readonly #halves: Int32Array;

  constructor(capacity: number) {
    this.#words = new BigUint64Array(capacity);
    this.#halves = new Int32Array(this.#words.buffer);
  }

  setSafe(index: number, value: number): void {
    if (index >= this.#words.length) return;
    this.#halves[index * 2] = value;
    this.#halves[index * 2 + 1] = Math.floor(value / 2 ** 32);
  }

  setLong(index: number, value: bigint): void {
    if (index < this.#words.length) this.#words[index] = BigInt.asUintN(64, value);
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer);
  }
}

/** As many digits as a 64-bit integer may have: a BigInt of thousands is never made. */
const WIDE_TEXT = /^-?\d{1,20}$/;

/** A whole number beyond a double's; undefined for one that is not whole or that a double has rounded. */
function longValue(numbers: NumberReader): bigint | undefined {
  const text = numbers.text();
  return WIDE_TEXT.test(text) ? BigInt(text) : undefined;
}
