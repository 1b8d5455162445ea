import { joinByteStrings, splitByteStrings } from '../../core/byte-strings.ts';
import { DTYPE_BYTES, type Dtype } from '../../core/tensor.ts';
import { BF16, FP16, fromNarrowBits, toNarrowBits } from './narrow-floats.ts';

/** An element of a tensor: 64-bit whole numbers as bigint, elements of BYTES as their bytes, BOOL as 0 or 1. */
export type Element = number | bigint | Uint8Array;

type Fixed = Exclude<Dtype, 'BYTES'>;

type Cell = {
  readonly get: (view: DataView, at: number) => number | bigint;
  readonly set: (view: DataView, at: number, value: number) => void;
};

const CELLS: Readonly<Record<Exclude<Fixed, 'INT64' | 'UINT64'>, Cell>> = {
  BOOL: { get: (v, at) => v.getUint8(at), set: (v, at, value) => v.setUint8(at, value) },
  UINT8: { get: (v, at) => v.getUint8(at), set: (v, at, value) => v.setUint8(at, value) },
  UINT16: {
    get: (v, at) => v.getUint16(at, true),
    set: (v, at, value) => v.setUint16(at, value, true),
  },
  UINT32: {
    get: (v, at) => v.getUint32(at, true),
    set: (v, at, value) => v.setUint32(at, value, true),
  },
  INT8: { get: (v, at) => v.getInt8(at), set: (v, at, value) => v.setInt8(at, value) },
  INT16: {
    get: (v, at) => v.getInt16(at, true),
    set: (v, at, value) => v.setInt16(at, value, true),
  },
  INT32: {
    get: (v, at) => v.getInt32(at, true),
    set: (v, at, value) => v.setInt32(at, value, true),
  },
  FP16: {
    get: (v, at) => fromNarrowBits(FP16, v.getUint16(at, true)),
    set: (v, at, value) => v.setUint16(at, toNarrowBits(FP16, value), true),
  },
  BF16: {
    get: (v, at) => fromNarrowBits(BF16, v.getUint16(at, true)),
    set: (v, at, value) => v.setUint16(at, toNarrowBits(BF16, value), true),
  },
  FP32: {
    get: (v, at) => v.getFloat32(at, true),
    set: (v, at, value) => v.setFloat32(at, value, true),
  },
  FP64: {
    get: (v, at) => v.getFloat64(at, true),
    set: (v, at, value) => v.setFloat64(at, value, true),
  },
};

/** The elements in a tensor's bytes. Throws an Error where the bytes do not divide into them. */
export function elementsOf(dtype: Dtype, data: Uint8Array): readonly Element[] {
  if (dtype === 'BYTES') return splitByteStrings(data);
  const width = DTYPE_BYTES[dtype];
  if (data.byteLength % width !== 0) {
    throw new Error(`expected a multiple of ${width} bytes, found ${data.byteLength}`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const get = getterOf(dtype);
  return Array.from({ length: data.byteLength / width }, (_, index) => get(view, index * width));
}

/** The reverse. The elements must be ones that the datatype has, but for floats, which are rounded to the nearest. */
export function bytesOf(dtype: Dtype, elements: readonly Element[]): Uint8Array {
  if (dtype === 'BYTES') return joinByteStrings(elements.map(textBytes));
  const width = DTYPE_BYTES[dtype];
  const data = new Uint8Array(elements.length * width);
  const view = new DataView(data.buffer);
  const set = setterOf(dtype);
  for (const [index, element] of elements.entries()) set(view, index * width, element);
  return data;
}

/** Whether elements are exact: what is not is a float. */
export function isFloat(dtype: Dtype): boolean {
  return dtype === 'FP16' || dtype === 'BF16' || dtype === 'FP32' || dtype === 'FP64';
}

const WHOLE = /^(U?)INT(\d+)$/;

/** The least and the greatest whole number of a datatype; undefined where it has others, or none. */
export function wholeRangeOf(
  dtype: Dtype,
): { readonly min: bigint; readonly max: bigint } | undefined {
  const [, unsigned, width] = WHOLE.exec(dtype) ?? [];
  if (width === undefined) return dtype === 'BOOL' ? { min: 0n, max: 1n } : undefined;
  const bits = BigInt(width);
  return unsigned === 'U'
    ? { min: 0n, max: 2n ** bits - 1n }
    : { min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n };
}

function getterOf(dtype: Fixed): Cell['get'] {
  if (dtype === 'INT64') return (view, at) => view.getBigInt64(at, true);
  if (dtype === 'UINT64') return (view, at) => view.getBigUint64(at, true);
  return CELLS[dtype].get;
}

function setterOf(dtype: Fixed): (view: DataView, at: number, element: Element) => void {
  if (dtype === 'INT64' || dtype === 'UINT64') {
    // Two's complement: the bits of a negative number are the same, read as one without a sign.
    return (view, at, element) => view.setBigInt64(at, BigInt(numberOf(element)), true);
  }
  const { set } = CELLS[dtype];
  return (view, at, element) => set(view, at, Number(numberOf(element)));
}

function numberOf(element: Element): number | bigint {
  if (typeof element === 'object') throw new Error('expected a number, found bytes');
  return element;
}

function textBytes(element: Element): Uint8Array {
  if (typeof element === 'object') return element;
  throw new Error(`expected bytes, found ${element}`);
}
