import { ServeError } from '../../core/errors.ts';
import { DTYPE_BYTES, type Dtype } from '../../core/tensor.ts';
import { BYTE, checkEscaped, closingQuote, malformed } from './json-bytes.ts';
import { NumberReader } from './json-number.ts';

/** Reads the elements of one datatype from JSON into the tensor's bytes. */
export type ElementReader = {
  /** Reads the element at `at` and keeps it as element `index` if there is room for it. Returns the byte after it. */
  readonly read: (at: number, index: number) => number;
  /** The tensor's bytes, once all is read. */
  readonly bytes: () => Uint8Array;
};

export type ElementSource = {
  readonly json: Buffer;
  readonly dtype: Dtype;
  /** Elements that there is room for; more are read and dropped, so that they can be counted. */
  readonly capacity: number;
  /** Bytes of all elements in JSON. */
  readonly jsonBytes: number;
  /** The input, for messages. */
  readonly name: string;
};

/** @throws ServeError `invalid_input` for FP16 and BF16, which JSON does not carry. */
export function createElementReader(source: ElementSource): ElementReader {
  switch (source.dtype) {
    case 'BYTES':
      return stringReader(source);
    case 'BOOL':
      return booleanReader(source);
    case 'INT64':
    case 'UINT64':
      return wideReader(source, source.dtype);
    case 'FP16':
    case 'BF16':
      throw new ServeError(
        'invalid_input',
        `receiving ${source.dtype} data via JSON is not supported: expected binary data for input '${source.name}', found JSON. Please use the binary data format for input '${source.name}'`,
      );
    default:
      return numberReader(source, NUMBERS[source.dtype]);
  }
}

type NumberFormat = {
  readonly min: number;
  readonly max: number;
  readonly isInteger: boolean;
  readonly set: (view: DataView, offset: number, value: number) => void;
};

const FP32_MAX = 3.4028234663852886e38;

/** The largest double that rounds to a finite FP32: half a step above the greatest FP32 would round to infinity. */
const FP32_ROUNDS_BELOW = FP32_MAX + 2 ** 103;

type NumberDtype = Exclude<Dtype, 'BYTES' | 'BOOL' | 'INT64' | 'UINT64' | 'FP16' | 'BF16'>;

const NUMBERS: Readonly<Record<NumberDtype, NumberFormat>> = {
  UINT8: whole(0, 255, (view, offset, value) => view.setUint8(offset, value)),
  UINT16: whole(0, 65_535, (view, offset, value) => view.setUint16(offset, value, true)),
  UINT32: whole(0, 4_294_967_295, (view, offset, value) => view.setUint32(offset, value, true)),
  INT8: whole(-128, 127, (view, offset, value) => view.setInt8(offset, value)),
  INT16: whole(-32_768, 32_767, (view, offset, value) => view.setInt16(offset, value, true)),
  INT32: whole(-2_147_483_648, 2_147_483_647, (view, offset, value) =>
    view.setInt32(offset, value, true),
  ),
  FP32: {
    min: -FP32_MAX,
    max: FP32_MAX,
    isInteger: false,
    set: (view, offset, value) => view.setFloat32(offset, value, true),
  },
  FP64: {
    min: -Number.MAX_VALUE,
    max: Number.MAX_VALUE,
    isInteger: false,
    set: (view, offset, value) => view.setFloat64(offset, value, true),
  },
};

function whole(min: number, max: number, set: NumberFormat['set']): NumberFormat {
  return { min, max, isInteger: true, set };
}

function numberReader(source: ElementSource, format: NumberFormat): ElementReader {
  const numbers = new NumberReader(source.json);
  const size = DTYPE_BYTES[source.dtype];
  const view = new DataView(new ArrayBuffer(source.capacity * size));
  const refuse = (): ServeError => outOfRange(source, numbers.text(), format);
  return {
    read(at, index) {
      const value = numbers.read(at);
      if (format.isInteger) {
        if (!(Number.isInteger(value) && value >= format.min && value <= format.max))
          throw refuse();
      } else if (!isFloat(value, format, numbers)) throw refuse();
      if (index < source.capacity) format.set(view, index * size, value);
      return numbers.at;
    },
    bytes: () => new Uint8Array(view.buffer),
  };
}

/** Named numbers pass; a written number must not round to infinity. */
function isFloat(value: number, format: NumberFormat, numbers: NumberReader): boolean {
  if (Number.isNaN(value)) return true;
  if (!Number.isFinite(value)) return numbers.digits === 0;
  return format.max === FP32_MAX ? Math.abs(value) < FP32_ROUNDS_BELOW : true;
}

const WIDE = {
  INT64: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
  UINT64: { min: 0n, max: 2n ** 64n - 1n },
} as const;

/** 64-bit integers, exact beyond 2^53: long ones never pass through a double. */
function wideReader(source: ElementSource, dtype: 'INT64' | 'UINT64'): ElementReader {
  const numbers = new NumberReader(source.json);
  const view = new DataView(new ArrayBuffer(source.capacity * 8));
  const { min, max } = WIDE[dtype];
  return {
    read(at, index) {
      const value = numbers.read(at);
      const exact = exactOf(value, numbers);
      if (exact === undefined || exact < min || exact > max) {
        throw outOfRange(source, numbers.text(), { min, max, isInteger: true });
      }
      if (index < source.capacity) view.setBigUint64(index * 8, BigInt.asUintN(64, exact), true);
      return numbers.at;
    },
    bytes: () => new Uint8Array(view.buffer),
  };
}

/** A whole number of any length; undefined for one that is not whole or that a double has rounded. */
function exactOf(value: number, numbers: NumberReader): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(value);
  return numbers.isWhole && numbers.digits <= WIDE_DIGITS_MAX ? BigInt(numbers.text()) : undefined;
}

const WIDE_DIGITS_MAX = 20;

type Range = {
  readonly min: number | bigint;
  readonly max: number | bigint;
  readonly isInteger: boolean;
};

function outOfRange(source: ElementSource, found: string, range: Range): ServeError {
  const kind = range.isInteger ? 'a whole number' : 'a number';
  return new ServeError(
    'invalid_input',
    `unexpected element of input '${source.name}': expected ${kind} from ${range.min} to ${range.max} for ${source.dtype}, found ${found.slice(0, 40)}`,
  );
}

function booleanReader(source: ElementSource): ElementReader {
  const bytes = new Uint8Array(source.capacity);
  const { json } = source;
  return {
    read(at, index) {
      const text = json.toString('latin1', at, at + 5);
      const value = text.startsWith('true') ? 1 : text === 'false' ? 0 : undefined;
      if (value === undefined) {
        throw malformed(json, at, `true or false in the data of input '${source.name}'`);
      }
      if (index < source.capacity) bytes[index] = value;
      return at + (value === 1 ? 4 : 5);
    },
    bytes: () => bytes,
  };
}

/**
 * BYTES: each element becomes its length as a little-endian uint32 and its bytes in UTF-8, which are never more than its JSON.
 * All go into one buffer: an object for each of millions of short strings would take gigabytes. What is not written to takes
 * no memory.
 */
function stringReader(source: ElementSource): ElementReader {
  const { json, capacity, jsonBytes } = source;
  const target = Buffer.allocUnsafe(capacity * 4 + jsonBytes);
  let end = 0;
  return {
    read(at, index) {
      if (json[at] !== BYTE.quote) {
        throw malformed(json, at, `a string in the data of input '${source.name}'`);
      }
      const close = closingQuote(json, at, json.byteLength);
      if (close === -1) throw malformed(json, json.byteLength, 'the end of a string');
      if (index < capacity) {
        const text = stringBytes(json, at, close);
        end = target.writeUInt32LE(text.byteLength, end);
        target.set(text, end);
        end += text.byteLength;
      }
      return close + 1;
    },
    bytes: () => target.subarray(0, end),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function stringBytes(json: Buffer, open: number, close: number): Buffer {
  const inner = json.subarray(open + 1, close);
  if (!inner.includes(BYTE.backslash)) return inner;
  checkEscaped(inner.byteLength);
  try {
    // Strictly: a character put in for what is no UTF-8 would be longer than what it replaces.
    const text: unknown = JSON.parse(utf8.decode(json.subarray(open, close + 1)));
    return Buffer.from(String(text));
  } catch {
    throw malformed(json, open, 'a string in UTF-8');
  }
}
