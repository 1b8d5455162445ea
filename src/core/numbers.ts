/** The elements of a tensor as numbers. Bytes are little-endian, as is every machine that the runtimes support. */

import {
  fromBf16Bits,
  fromFp16Bits,
  numbersOfBf16,
  numbersOfFp16,
  toBf16Bits,
  toFp16Bits,
} from './narrow-floats.ts';
import { byteLengthOf, DTYPE_BYTES, type Dtype, type Tensor } from './tensor.ts';

/** A datatype whose elements have a fixed width. */
export type FixedDtype = Exclude<Dtype, 'BYTES'>;

/** The typed array that views the bytes of each datatype; FP16 and BF16 as their bits, BOOL as 0 and 1. */
export const TYPED_ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Readonly<Record<FixedDtype, unknown>>;

export type TypedView<D extends FixedDtype> = InstanceType<(typeof TYPED_ARRAYS)[D]>;

/** All whole elements in the bytes: a view where the bytes are aligned, else a copy. */
export function typedView<D extends FixedDtype>(dtype: D, data: Uint8Array): TypedView<D> {
  const width = DTYPE_BYTES[dtype];
  const { buffer, byteOffset } = data.byteOffset % width === 0 ? data : Uint8Array.from(data);
  const length = Math.floor(data.byteLength / width);
  return new TYPED_ARRAYS[dtype](buffer as ArrayBuffer, byteOffset, length) as TypedView<D>;
}

/**
 * A tensor's elements as numbers (64-bit integers lose what a double cannot hold), or undefined for BYTES and for data
 * whose length is not what the shape says. A view where that is possible, else a copy.
 */
export function numbersOf({ dtype, data, shape }: Tensor): ArrayLike<number> | undefined {
  if (dtype === 'BYTES' || byteLengthOf(dtype, shape) !== data.byteLength) return undefined;
  switch (dtype) {
    case 'FP16':
      return numbersOfFp16(typedView(dtype, data));
    case 'BF16':
      return numbersOfBf16(typedView(dtype, data));
    case 'INT64':
    case 'UINT64':
      return Float64Array.from(typedView(dtype, data), Number);
    default:
      return typedView(dtype, data);
  }
}

type ReadElement = (view: DataView, at: number) => number | bigint;

/** Reads the element at a byte: 64-bit integers as bigint, BOOL as 0 or 1. */
export const READ_ELEMENT: Readonly<Record<FixedDtype, ReadElement>> = {
  BOOL: (view, at) => view.getUint8(at),
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => view.getBigUint64(at, true),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => view.getBigInt64(at, true),
  FP16: (view, at) => fromFp16Bits(view.getUint16(at, true)),
  BF16: (view, at) => fromBf16Bits(view.getUint16(at, true)),
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
};

type WriteElement = (view: DataView, at: number, value: number | bigint) => void;

/** Writes an element at a byte: floats rounded to the nearest, whole numbers modulo their width. */
export const WRITE_ELEMENT: Readonly<Record<FixedDtype, WriteElement>> = {
  BOOL: (view, at, value) => view.setUint8(at, Number(value)),
  UINT8: (view, at, value) => view.setUint8(at, Number(value)),
  UINT16: (view, at, value) => view.setUint16(at, Number(value), true),
  UINT32: (view, at, value) => view.setUint32(at, Number(value), true),
  UINT64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  INT8: (view, at, value) => view.setInt8(at, Number(value)),
  INT16: (view, at, value) => view.setInt16(at, Number(value), true),
  INT32: (view, at, value) => view.setInt32(at, Number(value), true),
  INT64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  FP16: (view, at, value) => view.setUint16(at, toFp16Bits(Number(value)), true),
  BF16: (view, at, value) => view.setUint16(at, toBf16Bits(Number(value)), true),
  FP32: (view, at, value) => view.setFloat32(at, Number(value), true),
  FP64: (view, at, value) => view.setFloat64(at, Number(value), true),
};

/** True for the datatypes of floating-point numbers. */
export function isFloat(dtype: Dtype): dtype is 'FP16' | 'BF16' | 'FP32' | 'FP64' {
  return dtype === 'FP16' || dtype === 'BF16' || dtype === 'FP32' || dtype === 'FP64';
}

type Range<Bound> = { readonly min: Bound; readonly max: Bound };

/** The least and the greatest of the whole numbers that a double holds. */
export const INTEGER_RANGES = {
  INT8: { min: -(2 ** 7), max: 2 ** 7 - 1 },
  INT16: { min: -(2 ** 15), max: 2 ** 15 - 1 },
  INT32: { min: -(2 ** 31), max: 2 ** 31 - 1 },
  UINT8: { min: 0, max: 2 ** 8 - 1 },
  UINT16: { min: 0, max: 2 ** 16 - 1 },
  UINT32: { min: 0, max: 2 ** 32 - 1 },
} as const satisfies Partial<Record<Dtype, Range<number>>>;

/** The least and the greatest of those that it does not. */
export const LONG_RANGES = {
  INT64: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
  UINT64: { min: 0n, max: 2n ** 64n - 1n },
} as const satisfies Partial<Record<Dtype, Range<bigint>>>;
