import { joinByteStrings } from '../core/byte-strings.ts';
import type { DefaultInput } from '../core/model-edits.ts';
import { byteLengthOf, type Dtype, elementCount } from '../core/tensor.ts';
import { dtypeOf } from './onnx-dtype.ts';
import { decodeTensor, type OnnxWholeTensor } from './onnx-schema.ts';

type Write = (view: DataView, at: number, value: number | bigint) => void;

/** Datatypes whose elements may be listed as 32-bit numbers, and how each is written. */
const NARROW: Partial<Record<Dtype, Write>> = {
  BOOL: (view, at, value) => view.setUint8(at, Number(value)),
  UINT8: (view, at, value) => view.setUint8(at, Number(value)),
  INT8: (view, at, value) => view.setInt8(at, Number(value)),
  UINT16: (view, at, value) => view.setUint16(at, Number(value), true),
  INT16: (view, at, value) => view.setInt16(at, Number(value), true),
  // As its bits.
  FP16: (view, at, value) => view.setUint16(at, Number(value), true),
  INT32: (view, at, value) => view.setInt32(at, Number(value), true),
};

const WIDE: Partial<Record<Dtype, Write>> = {
  UINT32: (view, at, value) => view.setUint32(at, Number(value), true),
  UINT64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  INT64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
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
  if (narrow) return written(tensor.int32_data, dtype, narrow);
  const wide = WIDE[dtype];
  const values = dtype === 'INT64' ? tensor.int64_data : tensor.uint64_data;
  return (
    wide &&
    written(
      values.map((value) => BigInt(String(value))),
      dtype,
      wide,
    )
  );
}

function written(
  values: readonly (number | bigint)[],
  dtype: Dtype,
  write: Write,
): Uint8Array | undefined {
  const width = byteLengthOf(dtype, [1]) ?? 0;
  const data = new Uint8Array(values.length * width);
  const view = new DataView(data.buffer);
  for (const [at, value] of values.entries()) write(view, at * width, value);
  return data;
}
