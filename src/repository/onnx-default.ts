import { joinByteStrings } from '../core/byte-strings.ts';
import type { DefaultInput } from '../core/model-edits.ts';
import { type FixedDtype, WRITE_ELEMENT } from '../core/numbers.ts';
import { byteLengthOf, DTYPE_BYTES, type Dtype, elementCount } from '../core/tensor.ts';
import { dtypeOf } from './onnx-dtype.ts';
import { decodeTensor, type OnnxWholeTensor } from './onnx-schema.ts';

/** Datatypes whose elements are listed as 32-bit numbers, and which element each number is: a FP16 is listed as its bits. */
const NARROW: Partial<Record<Dtype, FixedDtype>> = {
  BOOL: 'BOOL',
  UINT8: 'UINT8',
  INT8: 'INT8',
  UINT16: 'UINT16',
  INT16: 'INT16',
  FP16: 'UINT16',
  INT32: 'INT32',
};

/** An initializer as a tensor; undefined where it lies in another file, or is not what it says. */
export function defaultInputOf(name: string, bytes: Uint8Array): DefaultInput | undefined {
  const tensor = decodeTensor(bytes);
  const dtype = dtypeOf(tensor.data_type);
  if (dtype === undefined || tensor.external_data.length > 0 || tensor.data_location) {
    return undefined;
  }
  const shape = tensor.dims.map((size) => Number(String(size)));
  const data = dataOf(tensor, dtype, elementCount(shape));
  if (data === undefined) return undefined;
  return { name, dtype, shape, base64: Buffer.from(data).toString('base64') };
}

function dataOf(tensor: OnnxWholeTensor, dtype: Dtype, count: number): Uint8Array | undefined {
  if (dtype === 'BYTES') {
    return tensor.string_data.length === count ? joinByteStrings(tensor.string_data) : undefined;
  }
  const expected = byteLengthOf(dtype, [count]);
  const data = tensor.raw_data?.length ? tensor.raw_data : listed(tensor, dtype);
  return data?.byteLength === expected ? data : undefined;
}

function listed(tensor: OnnxWholeTensor, dtype: Dtype): Uint8Array | undefined {
  if (dtype === 'FP32') return new Uint8Array(Float32Array.from(tensor.float_data).buffer);
  if (dtype === 'FP64') return new Uint8Array(Float64Array.from(tensor.double_data).buffer);
  const narrow = NARROW[dtype];
  if (narrow !== undefined) return written(narrow, tensor.int32_data);
  if (dtype === 'INT64') return written(dtype, tensor.int64_data.map(bigintOf));
  if (dtype === 'UINT32' || dtype === 'UINT64') {
    return written(dtype, tensor.uint64_data.map(bigintOf));
  }
  return undefined;
}

function bigintOf(value: unknown): bigint {
  return BigInt(String(value));
}

function written(dtype: FixedDtype, values: readonly (number | bigint)[]): Uint8Array {
  const width = DTYPE_BYTES[dtype];
  const data = new Uint8Array(values.length * width);
  const view = new DataView(data.buffer);
  for (const [at, value] of values.entries()) WRITE_ELEMENT[dtype](view, at * width, value);
  return data;
}
