/** One field of a message as it lies in the bytes: its tag begins at `start`, its content lies from `from` up to `end`. */
export type WireField = {
  readonly number: number;
  readonly start: number;
  readonly from: number;
  readonly end: number;
  /** The content of a field of bytes, text or a message. */
  readonly bytes: Uint8Array;
};

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * The fields of a message in protocol buffers' wire format, in order; nothing is copied. Offsets count from the start of `bytes`.
 *
 * @throws Error where the bytes are no such message.
 */
export function* wireFields(
  bytes: Uint8Array,
  begin = 0,
  limit = bytes.length,
): Generator<WireField> {
  for (let at = begin; at < limit; ) {
    const tag = varintAt(bytes, at, limit);
    const kind = tag.value % 8;
    let from = tag.end;
    let end: number;
    if (kind === WIRE.varint) end = varintAt(bytes, from, limit).end;
    else if (kind === WIRE.fixed64) end = from + 8;
    else if (kind === WIRE.fixed32) end = from + 4;
    else if (kind === WIRE.bytes) {
      const length = varintAt(bytes, from, limit);
      from = length.end;
      end = from + length.value;
    } else throw new Error(`expected a field at byte ${at}, found wire type ${kind}`);
    if (end > limit) throw new Error(`expected a whole field at byte ${at}, found its end cut off`);
    yield new FieldInBytes(bytes, { number: Math.floor(tag.value / 8), start: at, from, end });
    at = end;
  }
}

/** Views are made on access: a graph has many thousands of fields. */
class FieldInBytes implements WireField {
  readonly number: number;
  readonly start: number;
  readonly from: number;
  readonly end: number;
  readonly #source: Uint8Array;

  constructor(source: Uint8Array, { number, start, from, end }: Omit<WireField, 'bytes'>) {
    this.#source = source;
    this.number = number;
    this.start = start;
    this.from = from;
    this.end = end;
  }

  get bytes(): Uint8Array {
    return this.#source.subarray(this.from, this.end);
  }
}

/** A whole number at a place, exact up to 53 bits, and where it ends. Throws where it has no end. */
export function varintAt(
  bytes: Uint8Array,
  at: number,
  limit: number,
): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 10 && at + index < limit; index += 1) {
    const byte = bytes[at + index] ?? 0;
    value += (byte % 128) * 2 ** (7 * index);
    if (byte < 128) return { value, end: at + index + 1 };
  }
  throw new Error(`expected a whole number at byte ${at}, found no end of it`);
}

/** A whole number as it is written. */
export function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Uint8Array.from([...bytes, left]);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws where the bytes are no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}
