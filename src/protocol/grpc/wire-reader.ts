import { isUtf8 } from 'node:buffer';

import { ServeError } from '../../core/errors.ts';

/** How a field's value is written: the lowest three bits of its tag. */
export const WIRE = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const;

/** Groups within groups that a field of an unknown kind may hold. No current encoder writes groups. */
const GROUP_DEPTH_MAX = 32;

const VARINT_BYTES_MAX = 10;

/**
 * Reads the fields of one protobuf message in the order in which they come. What it hands out are views: nothing is copied but
 * strings. After `next`, `field` and `type` describe the field, and exactly one of the reading methods takes it.
 *
 * Every method throws ServeError `invalid_input` where the bytes are no message.
 */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;
  field = 0;
  type = 0;
  /** The two halves of the varint read last, as signed 32-bit numbers. */
  low = 0;
  high = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    this.varint();
    this.field = this.low >>> 3;
    this.type = this.low & 7;
    if (this.high !== 0 || this.field === 0) throw malformed('a field number from 1', 'none');
    return true;
  }

  /** True while bytes are left, for values that are packed without tags. */
  more(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** Reads a varint into `low` and `high`. */
  varint(): void {
    const bytes = this.#bytes;
    let [low, high] = [0, 0];
    for (let index = 0; index < VARINT_BYTES_MAX; index += 1) {
      const byte = bytes[this.#at];
      if (byte === undefined) throw malformed('the rest of a number', 'the end');
      this.#at += 1;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        this.low = low;
        this.high = high;
        return;
      }
    }
    throw malformed(`a number of at most ${VARINT_BYTES_MAX} bytes`, 'a longer one');
  }

  bool(): boolean {
    this.varint();
    return (this.low | this.high) !== 0;
  }

  uint64(): bigint {
    this.varint();
    return (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0);
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  /** An int64 as a number; not a safe one where it is beyond 2^53. */
  integer(): number {
    this.varint();
    return this.high * 2 ** 32 + (this.low >>> 0);
  }

  double(): number {
    return this.#take(8).readDoubleLE();
  }

  bytes(): Buffer {
    this.varint();
    if (this.high !== 0) throw malformed('a length within the message', 'a greater one');
    return this.#take(this.low >>> 0);
  }

  /** Text, which has to be UTF-8: what is put in for bytes that are none would be a name or an id that was not sent. */
  string(): string {
    const bytes = this.bytes();
    if (isUtf8(bytes)) return bytes.toString();
    throw malformed('text in UTF-8', 'bytes that are none');
  }

  message(): WireReader {
    return new WireReader(this.bytes());
  }

  /** The bytes of this field's value, without tag and length. */
  value(): Buffer {
    if (this.type === WIRE.bytes) return this.bytes();
    const from = this.#at;
    this.skip();
    return this.#bytes.subarray(from, this.#at);
  }

  skip(): void {
    this.#skip(0);
  }

  #skip(depth: number): void {
    switch (this.type) {
      case WIRE.varint:
        this.varint();
        return;
      case WIRE.fixed64:
        this.#take(8);
        return;
      case WIRE.bytes:
        this.bytes();
        return;
      case WIRE.fixed32:
        this.#take(4);
        return;
      case WIRE.groupStart:
        this.#skipGroup(this.field, depth + 1);
        return;
      default:
        throw malformed('the value of a field', `wire type ${this.type}`);
    }
  }

  #skipGroup(group: number, depth: number): void {
    if (depth > GROUP_DEPTH_MAX) throw malformed(`at most ${GROUP_DEPTH_MAX} groups`, 'more');
    while (this.next()) {
      if (this.type !== WIRE.groupEnd) this.#skip(depth);
      else if (this.field === group) return;
      else throw malformed(`the end of group ${group}`, `that of ${this.field}`);
    }
    throw malformed(`the end of group ${group}`, 'the end');
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) {
      throw malformed(`${count} more bytes`, String(this.#bytes.length - this.#at));
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** The refusal of bytes that are no message. */
export function malformed(expected: string, found: string): ServeError {
  return new ServeError(
    'invalid_input',
    `malformed protobuf message: expected ${expected}, found ${found}`,
  );
}
