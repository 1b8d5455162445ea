import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { projectRoot } from '../../support/project-root.ts';
import { type Datatype, elementCount, pack, type Value } from '../wire/datatype.ts';
import type { KitTensor } from '../wire/tensor.ts';

/** A TensorProto: elements are raw bytes, or a list whose field goes by the datatype. */
type TensorProto = {
  readonly dims: readonly { toString: () => string }[];
  readonly data_type: number;
  readonly name?: string;
  readonly raw_data?: Uint8Array;
} & Readonly<Record<string, unknown>>;

/** The format's element types, and the field that elements stand in where they are not raw. */
const ELEMENTS: Readonly<Record<number, readonly [Datatype, string]>> = {
  1: ['FP32', 'float_data'],
  2: ['UINT8', 'int32_data'],
  3: ['INT8', 'int32_data'],
  4: ['UINT16', 'int32_data'],
  5: ['INT16', 'int32_data'],
  6: ['INT32', 'int32_data'],
  7: ['INT64', 'int64_data'],
  8: ['BYTES', 'string_data'],
  9: ['BOOL', 'int32_data'],
  10: ['FP16', 'int32_data'],
  11: ['FP64', 'double_data'],
  12: ['UINT32', 'uint64_data'],
  13: ['UINT64', 'uint64_data'],
};

let type: protobuf.Type | undefined;

/** Reads a tensor as ONNX's tests hold it. Throws an Error where it is none that the protocol can carry. */
export function readTensorFile(bytes: Uint8Array): KitTensor {
  type ??= protobuf
    .parse(readFileSync(join(projectRoot, 'protos', 'onnx.proto'), 'utf8'), { keepCase: true })
    .root.lookupType('onnx.TensorProto');
  const proto = type.decode(bytes) as unknown as TensorProto;
  const { name = '', dims, data_type: element, raw_data: raw } = proto;
  const found = ELEMENTS[element];
  if (!found) throw new Error(`element type ${element} is not of the protocol`);
  const [datatype, field] = found;
  const shape = dims.map((size) => Number(size.toString()));
  const head = { name, datatype, shape };
  if (raw !== undefined && raw.length > 0) return { ...head, bytes: raw };
  const listed = (proto[field] ?? []) as readonly Value[];
  if (listed.length !== elementCount(shape)) {
    throw new Error(`${listed.length} elements for shape [${shape}]`);
  }
  return { ...head, bytes: bytesOfList(datatype, listed) };
}

/** 64-bit elements come as objects that print their digits; 16-bit floats as their bits. */
function bytesOfList(datatype: Datatype, listed: readonly Value[]): Uint8Array {
  if (datatype === 'FP16') return pack('UINT16', listed);
  if (!['INT64', 'UINT64', 'UINT32'].includes(datatype)) return pack(datatype, listed);
  return pack(
    datatype,
    listed.map((value) => BigInt(value.toString())),
  );
}
