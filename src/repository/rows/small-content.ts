import type { OnnxTensorSummary } from '../onnx-schema.ts';
import { LIST_MAX, type Traced } from './traced.ts';

const INT32 = 6;
const INT64 = 7;
const BOOL = 9;

/** A weight or constant; its elements only where they are a few whole numbers. */
export function tracedWeight(tensor: OnnxTensorSummary): Traced {
  const sizes = tensor.dims.map((size) => Number(String(size)));
  const count = sizes.reduce((product, size) => product * size, 1);
  const content = count <= LIST_MAX ? contentOf(tensor) : undefined;
  return {
    kind: 'fixed',
    rank: sizes.length,
    content: content?.length === count ? content : undefined,
  };
}

function contentOf({
  data_type: type,
  raw_data: raw,
  int32_data: narrow,
  int64_data: wide,
}: OnnxTensorSummary): readonly number[] | undefined {
  if (type !== INT32 && type !== INT64 && type !== BOOL) return undefined;
  if (raw && raw.length > 0) return rawNumbers(raw, type);
  const listed = type === INT64 ? wide : narrow;
  return listed && listed.length <= LIST_MAX * 10 ? varints(listed) : undefined;
}

function rawNumbers(raw: Uint8Array, type: number): readonly number[] | undefined {
  if (type === BOOL) return raw.length <= LIST_MAX ? [...raw] : undefined;
  const width = type === INT64 ? 8 : 4;
  if (raw.length % width !== 0 || raw.length > LIST_MAX * width) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length / width }, (_, at) =>
    width === 8 ? Number(view.getBigInt64(at * 8, true)) : view.getInt32(at * 4, true),
  );
}

/** A packed list: seven bits a byte, the lowest first; the high bit says that more follow. */
function varints(bytes: Uint8Array): readonly number[] {
  const found: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    found.push(Number(BigInt.asIntN(64, value)));
    value = 0n;
    shift = 0n;
  }
  return found;
}
