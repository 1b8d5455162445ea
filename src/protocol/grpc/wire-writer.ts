import { WIRE } from './wire-reader.ts';

const FIRST_BYTES = 1_024;

/** More is not kept from one message to the next. */
const KEPT_BYTES_MAX = 65_536;

/** Writes the fields of a protobuf message, one after the other, into bytes that grow. What proto3 leaves out is the caller's care. */
export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  /** Resets. What `written` gave out is no longer valid. */
  clear(): void {
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#at = 0;
  }

  /** What has been written: a view, for as long as nothing else is. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Leaves an empty string out. */
  text(field: number, text: string): void {
    if (text === '') return;
    this.tag(field, WIRE.bytes);
    const length = Buffer.byteLength(text);
    this.varint(length);
    this.#reserve(length);
    this.#at += this.#bytes.write(text, this.#at);
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.tag(field, WIRE.bytes);
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  flag(field: number, flag: boolean): void {
    this.tag(field, WIRE.varint);
    this.varint(flag ? 1 : 0);
  }

  /** A message within this one, or a run of packed values, written by `write`. */
  nested(field: number, write: () => void): void {
    this.tag(field, WIRE.bytes);
    // Most are short: room for a length of one byte is left, and what needs more is moved.
    this.#reserve(1);
    const start = this.#at + 1;
    this.#at = start;
    write();
    const length = this.#at - start;
    const extra = varintBytes(length) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(start + extra, start, this.#at);
    }
    this.#at = start - 1;
    this.varint(length);
    this.#at += length;
  }

  tag(field: number, type: number): void {
    this.varint((field << 3) | type);
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    if (value >= 2 ** 28) {
      this.varint64(value | 0, Math.floor(value / 2 ** 32));
      return;
    }
    this.#reserve(4);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at] = (rest & 0x7f) | 0x80;
      this.#at += 1;
      rest >>>= 7;
    }
    this.#bytes[this.#at] = rest;
    this.#at += 1;
  }

  /** Two halves of 32 bits each. */
  varint64(lowHalf: number, highHalf: number): void {
    this.#reserve(10);
    let [low, high] = [lowHalf >>> 0, highHalf >>> 0];
    while (high !== 0 || low >= 0x80) {
      this.#bytes[this.#at] = (low & 0x7f) | 0x80;
      this.#at += 1;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#at] = low;
    this.#at += 1;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/** The bytes that a whole number from 0 takes as a varint. */
export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count += 1;
  return count;
}
