import { byteLengthOf, type Dtype, type Tensor } from './tensor.ts';

type Reader = (bytes: ArrayBuffer, offset: number, count: number) => ArrayLike<number>;

/** Bytes are little-endian, as is every machine that the runtimes support. */
const READERS: Readonly<Record<Exclude<Dtype, 'BYTES'>, Reader>> = {
  BOOL: (bytes, offset, count) => new Uint8Array(bytes, offset, count),
  UINT8: (bytes, offset, count) => new Uint8Array(bytes, offset, count),
  UINT16: (bytes, offset, count) => new Uint16Array(bytes, offset, count),
  UINT32: (bytes, offset, count) => new Uint32Array(bytes, offset, count),
  UINT64: (bytes, offset, count) =>
    Float64Array.from(new BigUint64Array(bytes, offset, count), Number),
  INT8: (bytes, offset, count) => new Int8Array(bytes, offset, count),
  INT16: (bytes, offset, count) => new Int16Array(bytes, offset, count),
  INT32: (bytes, offset, count) => new Int32Array(bytes, offset, count),
  INT64: (bytes, offset, count) =>
    Float64Array.from(new BigInt64Array(bytes, offset, count), Number),
  FP16: (bytes, offset, count) =>
    Float32Array.from(new Uint16Array(bytes, offset, count), halfToNumber),
  BF16: (bytes, offset, count) =>
    Float32Array.from(new Uint16Array(bytes, offset, count), brainToNumber),
  FP32: (bytes, offset, count) => new Float32Array(bytes, offset, count),
  FP64: (bytes, offset, count) => new Float64Array(bytes, offset, count),
};

/**
 * A tensor's elements as numbers (64-bit integers lose what a double cannot hold), or undefined for BYTES and for data
 * whose length is not what the shape says. A view where the bytes are aligned, else a copy.
 */
export function numbersOf(tensor: Tensor): ArrayLike<number> | undefined {
  const { dtype, data, shape } = tensor;
  if (dtype === 'BYTES' || byteLengthOf(dtype, shape) !== data.byteLength) return undefined;
  const width = byteLengthOf(dtype, [1]) ?? 1;
  const aligned = data.byteOffset % width === 0 && data.buffer instanceof ArrayBuffer;
  const { buffer, byteOffset } = aligned ? data : new Uint8Array(data);
  return READERS[dtype](buffer as ArrayBuffer, byteOffset, data.byteLength / width);
}

/** IEEE 754 binary16: 1 sign bit, 5 of exponent, 10 of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);

/** bfloat16 is the upper half of a binary32. */
function brainToNumber(bits: number): number {
  word[0] = bits << 16;
  return single[0] ?? Number.NaN;
}
