import { splitByteStrings } from '../core/byte-strings.ts';
import { READ_ELEMENT } from '../core/numbers.ts';
import { byteLengthOf, DTYPE_BYTES, type Tensor } from '../core/tensor.ts';

/** The bytes of each element, as views. Undefined where they are not as many as the shape says. */
function elementsOf({ dtype, shape, data }: Tensor): readonly Uint8Array[] | undefined {
  if (dtype !== 'BYTES') {
    if (byteLengthOf(dtype, shape) !== data.byteLength) return undefined;
    const width = DTYPE_BYTES[dtype];
    return Array.from({ length: data.byteLength / width }, (_, at) =>
      data.subarray(at * width, (at + 1) * width),
    );
  }
  const elements = splitOrNone(data);
  const expected = shape.reduce((product, size) => product * size, 1);
  return elements?.length === expected ? elements : undefined;
}

function splitOrNone(data: Uint8Array): readonly Uint8Array[] | undefined {
  try {
    return splitByteStrings(data);
  } catch {
    return undefined;
  }
}

/** The elements of a tensor that has one per row, [N] or [N,1]; undefined for any other. */
export function elementPerRow(tensor: Tensor): readonly Uint8Array[] | undefined {
  const elements = elementsOf(tensor);
  return elements?.length === (tensor.shape[0] ?? 1) ? elements : undefined;
}

/** An element as a caller reads it: a number in decimal digits, text that is no UTF-8 byte by byte as Latin-1. */
export function textOf(element: Uint8Array, dtype: Tensor['dtype']): string {
  if (dtype !== 'BYTES') {
    const view = new DataView(element.buffer, element.byteOffset, element.byteLength);
    return String(READ_ELEMENT[dtype](view, 0));
  }
  try {
    return STRICT_UTF8.decode(element);
  } catch {
    return Buffer.from(element.buffer, element.byteOffset, element.byteLength).toString('latin1');
  }
}

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
