import { joinByteStrings, splitByteStrings } from '../../core/byte-strings.ts';
import { INTEGER_RANGES, LONG_RANGES, READ_ELEMENT, WRITE_ELEMENT } from '../../core/numbers.ts';
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

/** The least and the greatest whole number of a datatype; undefined where it has others, or none. */
export function wholeRangeOf(
  dtype: Dtype,
): { readonly min: number | bigint; readonly max: number | bigint } | undefined {
  return WHOLE_RANGES[dtype];
}

const WHOLE_RANGES: Partial<
  Record<Dtype, { readonly min: number | bigint; readonly max: number | bigint }>
> = { ...INTEGER_RANGES, ...LONG_RANGES, BOOL: { min: 0, max: 1 } };

function numberOf(element: Element): number | bigint {
  if (typeof element === 'object') throw new Error('expected a number, found bytes');
  return element;
}

function textBytes(element: Element): Uint8Array {
  if (typeof element === 'object') return element;
  throw new Error(`expected bytes, found ${element}`);
}
