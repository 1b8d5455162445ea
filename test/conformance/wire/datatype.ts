/**
 * The datatypes of the protocol and their bytes, written from the specification alone: the kit shares no code with a server, so
 * that it cannot share its mistakes.
 */

/** Bytes of one element; BYTES elements carry their own length. */
export const ELEMENT_BYTES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
} as const;

export type Datatype = keyof typeof ELEMENT_BYTES;

/** An element in readable form: 64-bit integers as bigint, BYTES as text or bytes. */
export type Value = number | bigint | boolean | string | Uint8Array;

/** The elements as little-endian bytes without padding; BYTES: each a uint32 length and its bytes. */
export function pack(datatype: Datatype, values: readonly Value[]): Uint8Array {
  if (datatype === 'BYTES') return packStrings(values);
  const width = ELEMENT_BYTES[datatype];
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  const write = WRITE[datatype];
  values.forEach((value, index) => {
    write(view, index * width, value);
  });
  return bytes;
}

/** The reverse of `pack`. Throws an Error where the bytes do not divide into elements. */
export function unpack(datatype: Datatype, bytes: Uint8Array): Value[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (datatype === 'BYTES') return unpackStrings(view);
  const width = ELEMENT_BYTES[datatype];
  if (bytes.byteLength % width !== 0) {
    throw new Error(`${bytes.byteLength} bytes do not divide into ${datatype} elements`);
  }
  const read = READ[datatype];
  return Array.from({ length: bytes.byteLength / width }, (_, index) => read(view, index * width));
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function isDatatype(text: unknown): text is Datatype {
  return typeof text === 'string' && Object.hasOwn(ELEMENT_BYTES, text);
}

type Fixed = Exclude<Datatype, 'BYTES'>;

const WRITE: Readonly<Record<Fixed, (view: DataView, at: number, value: Value) => void>> = {
  BOOL: (view, at, value) => view.setUint8(at, value ? 1 : 0),
  UINT8: (view, at, value) => view.setUint8(at, Number(value)),
  UINT16: (view, at, value) => view.setUint16(at, Number(value), true),
  UINT32: (view, at, value) => view.setUint32(at, Number(value), true),
  UINT64: (view, at, value) => view.setBigUint64(at, wholeOf(value), true),
  INT8: (view, at, value) => view.setInt8(at, Number(value)),
  INT16: (view, at, value) => view.setInt16(at, Number(value), true),
  INT32: (view, at, value) => view.setInt32(at, Number(value), true),
  INT64: (view, at, value) => view.setBigInt64(at, wholeOf(value), true),
  FP16: (view, at, value) => view.setUint16(at, halfBits(Number(value)), true),
  BF16: (view, at, value) => view.setUint16(at, brainBits(Number(value)), true),
  FP32: (view, at, value) => view.setFloat32(at, Number(value), true),
  FP64: (view, at, value) => view.setFloat64(at, Number(value), true),
};

const READ: Readonly<Record<Fixed, (view: DataView, at: number) => Value>> = {
  BOOL: (view, at) => view.getUint8(at) !== 0,
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => view.getBigUint64(at, true),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => view.getBigInt64(at, true),
  FP16: (view, at) => halfValue(view.getUint16(at, true)),
  BF16: (view, at) => brainValue(view.getUint16(at, true)),
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
};

function wholeOf(value: Value): bigint {
  if (value instanceof Uint8Array) throw new Error('expected a whole number, found bytes');
  return BigInt(value);
}

const HALF_MANTISSA = 0x400;
const HALF_MIN_EXPONENT = -14;

/** IEEE 754 binary16 to a number: 1 sign bit, 5 of exponent (bias 15), 10 of mantissa. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return (sign * mantissa * 2 ** HALF_MIN_EXPONENT) / HALF_MANTISSA;
  return sign * 2 ** (exponent - 15) * (1 + mantissa / HALF_MANTISSA);
}

/** A number to binary16. It must be representable: the kit's own values are. */
function halfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (size === 0) return sign;
  const exponent = Math.max(HALF_MIN_EXPONENT, Math.floor(Math.log2(size)));
  const mantissa = (size / 2 ** exponent) * HALF_MANTISSA;
  if (!Number.isInteger(mantissa) || exponent > 15) {
    throw new Error(`${value} is not exactly representable in FP16`);
  }
  // A denormal has no implied leading bit and exponent 0.
  if (mantissa < HALF_MANTISSA) return sign | mantissa;
  return sign | ((exponent + 15) << 10) | (mantissa - HALF_MANTISSA);
}

/** bfloat16 is the upper half of a float32. */
function brainValue(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}

function brainBits(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0) >>> 16;
}

function packStrings(values: readonly Value[]): Uint8Array {
  const parts = values.flatMap((value) => {
    const bytes = bytesOf(value);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return new Uint8Array(Buffer.concat(parts));
}

/** What a BYTES element holds. */
export function bytesOf(value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(String(value), 'utf8');
}

function unpackStrings(view: DataView): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  while (at < view.byteLength) {
    if (at + 4 > view.byteLength) throw new Error('a BYTES element ends within its length');
    const length = view.getUint32(at, true);
    at += 4;
    if (at + length > view.byteLength) throw new Error('a BYTES element ends before its length');
    found.push(new Uint8Array(view.buffer, view.byteOffset + at, length));
    at += length;
  }
  return found;
}
