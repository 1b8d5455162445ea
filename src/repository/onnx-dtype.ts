import type { Dtype } from '../core/tensor.ts';

/** The format's element types that are served. */
const DTYPE_OF_ELEMENT: Readonly<Record<number, Dtype>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
};

/** Those that are not, by name, so that a refusal can say what was found. */
const UNSERVED_ELEMENTS: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

/** The datatype of an element type; undefined where it is not served. */
export function dtypeOf(element: number | undefined): Dtype | undefined {
  return element === undefined ? undefined : DTYPE_OF_ELEMENT[element];
}

/** An element type that `dtypeOf` does not know, in words. */
export function elementName(element: number | undefined): string {
  return (element && UNSERVED_ELEMENTS[element]) || `element type ${element ?? 'none'}`;
}

/** The element type of a datatype that the format has. */
export function elementOf(dtype: Dtype): number {
  const found = Object.entries(DTYPE_OF_ELEMENT).find(([, name]) => name === dtype);
  if (!found) throw new Error(`no ONNX element type for ${dtype}`);
  return Number(found[0]);
}
