import { joinByteStrings, splitByteStrings } from '../../core/byte-strings.ts';
import { READ_ELEMENT, WRITE_ELEMENT } from '../../core/numbers.ts';
import { DTYPE_BYTES, type Dtype } from '../../core/tensor.ts';

/** An element of a tensor: 64-bit whole numbers as bigint, elements of BYTES as their bytes, BOOL as 0 or 1. */
export type Element = number | bigint | Uint8Array;

/** The elements in a tensor's bytes. Throws an Error where the bytes do not divide into them. */
export function elementsOf(dtype: Dtype, data: Uint8Array): readonly Element[] {
  if (dtype === 'BYTES') return splitByteStrings(data);
  const width = DTYPE_BYTES[dtype];
  if (data.byteLength % width !== 0) {
    throw new Error(`expected a multiple of ${width} bytes, found ${data.byteLength}`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const read = READ_ELEMENT[dtype];
  return Array.from({ length: data.byteLength / width }, (_, index) => read(view, index * width));
}

/** The reverse. The elements must be ones that the datatype has, but for floats, which are rounded to the nearest. */
export function bytesOf(dtype: Dtype, elements: readonly Element[]): Uint8Array {
  if (dtype === 'BYTES') return joinByteStrings(elements.map(textBytes));
  const width = DTYPE_BYTES[dtype];
  const data = new Uint8Array(elements.length * width);
  const view = new DataView(data.buffer);
  const write = WRITE_ELEMENT[dtype];
  for (const [index, element] of elements.entries()) write(view, index * width, numberOf(element));
  return data;
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

function numberOf(element: Element): number | bigint {
  if (typeof element === 'object') throw new Error('expected a number, found bytes');
  return element;
}

function textBytes(element: Element): Uint8Array {
  if (typeof element === 'object') return element;
  throw new Error(`expected bytes, found ${element}`);
}
