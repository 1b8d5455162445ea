import { Tensor as OrtTensor } from 'onnxruntime-node';
import { joinByteStrings, splitByteStrings } from '../core/byte-strings.ts';
import { type Dtype, elementCount, formatShape, type Tensor } from '../core/tensor.ts';

type ArrayClass = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
};
type OrtType = Exclude<OrtTensor.Type, 'int4' | 'uint4'>;

/** FP16 travels as its bits. */
const KINDS: Readonly<Record<Exclude<Dtype, 'BF16'>, { type: OrtType; array: ArrayClass }>> = {
  BOOL: { type: 'bool', array: Uint8Array },
  UINT8: { type: 'uint8', array: Uint8Array },
  UINT16: { type: 'uint16', array: Uint16Array },
  UINT32: { type: 'uint32', array: Uint32Array },
  UINT64: { type: 'uint64', array: BigUint64Array },
  INT8: { type: 'int8', array: Int8Array },
  INT16: { type: 'int16', array: Int16Array },
  INT32: { type: 'int32', array: Int32Array },
  INT64: { type: 'int64', array: BigInt64Array },
  FP16: { type: 'float16', array: Uint16Array },
  FP32: { type: 'float32', array: Float32Array },
  FP64: { type: 'float64', array: Float64Array },
  BYTES: { type: 'string', array: Uint8Array },
};

const DTYPE_OF: ReadonlyMap<string, Dtype> = new Map(
  Object.entries(KINDS).map(([dtype, kind]) => [kind.type, dtype as Dtype]),
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
  const { type, array } = KINDS[dtype];
  if (dtype === 'BYTES') {
    const texts = splitByteStrings(data).map((bytes, at) => textOf(bytes, `${name}[${at}]`));
    expectLength(tensor, elements, texts.length);
    return new OrtTensor('string', texts, shape);
  }
  const width = array.BYTES_PER_ELEMENT;
  expectLength(tensor, elements * width, data.byteLength);
  const wrappable = data.byteOffset % width === 0 && !(data.buffer instanceof SharedArrayBuffer);
  const bytes = wrappable ? data : Uint8Array.from(data);
  const view = new array(bytes.buffer, bytes.byteOffset, elements);
  const wrapped = new OrtTensor(type as 'float32', view as Float32Array, shape);
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
