import { Tensor as OrtTensor } from 'onnxruntime-node';
import { joinByteStrings, splitByteStrings } from '../core/byte-strings.ts';
import { typedView } from '../core/numbers.ts';
import { DTYPE_BYTES, type Dtype, elementCount, formatShape, type Tensor } from '../core/tensor.ts';

type OrtType = Exclude<OrtTensor.Type, 'int4' | 'uint4'>;

const ORT_TYPES: Readonly<Record<Exclude<Dtype, 'BF16'>, OrtType>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};

const DTYPE_OF: ReadonlyMap<string, Dtype> = new Map(
  Object.entries(ORT_TYPES).map(([dtype, type]) => [type, dtype as Dtype]),
);

/** The dtype that a runtime's name for an element type stands for; undefined: a type that cannot be served. */
export function dtypeOfOrt(type: string): Dtype | undefined {
  return DTYPE_OF.get(type);
}

/** Wraps the bytes where they are aligned for their type, else copies them. Throws where length and shape disagree. */
export function toOrt(tensor: Tensor): OrtTensor {
  const { name, dtype, shape, data } = tensor;
  if (dtype === 'BF16') throw new Error(`input '${name}': BF16 is not served by this runtime`);
  const elements = elementCount(shape);
  if (dtype === 'BYTES') {
    const texts = splitByteStrings(data).map((bytes, at) => textOf(bytes, `${name}[${at}]`));
    expectLength(tensor, elements, texts.length);
    return new OrtTensor('string', texts, shape);
  }
  expectLength(tensor, elements * DTYPE_BYTES[dtype], data.byteLength);
  const bytes = data.buffer instanceof SharedArrayBuffer ? Uint8Array.from(data) : data;
  const view = typedView(dtype, bytes);
  const wrapped = new OrtTensor(ORT_TYPES[dtype] as 'float32', view as Float32Array, shape);
  // Where there is a Float16Array the package puts one in, which its binding takes for an array without elements.
  return dtype === 'FP16' ? Object.assign(wrapped, { cpuData: view }) : wrapped;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The runtime takes strings as text that ends with a zero byte: what is no UTF-8 would silently become another string, and what
 * has a zero byte in it would be cut off there.
 */
function textOf(bytes: Uint8Array, where: string): string {
  if (bytes.includes(0)) {
    throw new Error(`input '${where}': expected a string without zero bytes, found one`);
  }
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Error(`input '${where}': expected a string in UTF-8, found other bytes`);
  }
}

/** The runtime's answer as ours: a view of the same bytes, except strings. */
export function fromOrt(name: string, tensor: OrtTensor): Tensor {
  const dtype = dtypeOfOrt(tensor.type);
  if (dtype === undefined) throw new Error(`output '${name}': type ${tensor.type} is not served`);
  const content: unknown = tensor.data;
  if (ArrayBuffer.isView(content)) {
    const data = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    return { name, dtype, shape: tensor.dims, data };
  }
  const texts = content as readonly string[];
  const data = joinByteStrings(texts.map((text) => Buffer.from(text, 'utf8')));
  return { name, dtype, shape: tensor.dims, data };
}

function expectLength(tensor: Tensor, expected: number, found: number): void {
  if (expected === found) return;
  const unit = tensor.dtype === 'BYTES' ? 'elements' : 'bytes';
  throw new Error(
    `input '${tensor.name}': ${tensor.dtype} of shape ${formatShape(tensor.shape)} needs ${expected} ${unit}, found ${found}`,
  );
}
