import { splitByteStrings } from '../../core/byte-strings.ts';
import { DTYPE_BYTES, type Dtype, type Tensor } from '../../core/tensor.ts';
import type { WireWriter } from './wire-writer.ts';

/** The number of each datatype's field of InferTensorContents; undefined: it has none. */
const FIELD_NUMBER = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP16: undefined,
  BF16: undefined,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
} as const satisfies Record<Dtype, number | undefined>;

/** Whether typed contents can hold a tensor at all. */
export function hasContents({ dtype }: Pick<Tensor, 'dtype'>): boolean {
  return FIELD_NUMBER[dtype] !== undefined;
}

/** Writes the fields of the InferTensorContents of a tensor that it can hold. */
export function writeContents(writer: WireWriter, { dtype, data }: Tensor): void {
  const field = FIELD_NUMBER[dtype];
  if (field === undefined || data.length === 0) return;
  if (dtype === 'BYTES') {
    for (const element of splitByteStrings(data)) writer.bytes(field, element);
  } else if (dtype === 'FP32' || dtype === 'FP64') writer.bytes(field, data);
  else writer.nested(field, () => writeVarints(writer, dtype, data));
}

/** Negative numbers take ten bytes: protobuf extends their sign to 64 bits. */
function writeVarints(writer: WireWriter, dtype: Dtype, data: Uint8Array): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = DTYPE_BYTES[dtype];
  for (let at = 0; at < data.byteLength; at += width) {
    if (width === 8) writer.varint64(view.getInt32(at, true), view.getInt32(at + 4, true));
    else {
      const value = elementAt(view, at, dtype);
      writer.varint64(value, value < 0 ? -1 : 0);
    }
  }
}

function elementAt(view: DataView, at: number, dtype: Dtype): number {
  switch (dtype) {
    case 'INT8':
      return view.getInt8(at);
    case 'INT16':
      return view.getInt16(at, true);
    case 'INT32':
      return view.getInt32(at, true);
    case 'UINT16':
      return view.getUint16(at, true);
    case 'UINT32':
      return view.getUint32(at, true);
    default:
      return view.getUint8(at);
  }
}
