/** Bytes per element of each datatype of the Open Inference Protocol; BYTES elements vary and count as 0. */
export const DTYPE_BYTES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
} as const;

export type Dtype = keyof typeof DTYPE_BYTES;

export const DTYPES = Object.keys(DTYPE_BYTES) as readonly Dtype[];

/** Narrows a string that came over a wire. */
export function isDtype(text: string): text is Dtype {
  return Object.hasOwn(DTYPE_BYTES, text);
}

/**
 * A named array of numbers, always with its batch dimension first where the model has one.
 * `data` holds the raw little-endian bytes, row-major without padding (BYTES: each element a uint32 length and its bytes).
 * It may be a view at any offset of a larger buffer: copy before reading it as a wider typed array.
 */
export type Tensor = {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
};

/** A tensor to be sent: its data may lie in several pieces, which are put in a row on the way. */
export type OutboundTensor = Omit<Tensor, 'data'> & {
  readonly data: Uint8Array | readonly Uint8Array[];
};

/** What a model takes or gives under one name. A dimension of -1 is free; the first is the batch where it is free. */
export type TensorSpec = {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** An input that a request may leave out, as the model has a value for it. It never counts rows. */
  readonly optional?: true;
};

export type Signature = {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
};

/** The rows of a request: the first dimension of the first input given that counts any. Undefined: none does. */
export function rowsGiven(
  given: readonly Tensor[],
  { inputs }: Pick<Signature, 'inputs'>,
): number | undefined {
  const optional = (name: string) => inputs.some((spec) => spec.optional && spec.name === name);
  return given.find(({ name }) => !optional(name))?.shape[0];
}

/** The number of elements of a shape; a scalar (no dimensions) has one. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** The bytes that a tensor of this shape takes; undefined for BYTES, whose elements carry their own lengths. */
export function byteLengthOf(dtype: Dtype, shape: readonly number[]): number | undefined {
  return dtype === 'BYTES' ? undefined : DTYPE_BYTES[dtype] * elementCount(shape);
}

/** The bytes that tensors hold. */
export function tensorBytes(tensors: readonly Pick<Tensor, 'data'>[]): number {
  let bytes = 0;
  for (const { data } of tensors) bytes += data.byteLength;
  return bytes;
}

/**
 * True if the first dimension of every input that a request must give, and of every output, is free: requests may then share a
 * run.
 */
export function isBatchable({ inputs, outputs }: Signature): boolean {
  return (
    inputs.length + outputs.length > 0 &&
    inputs.every(({ shape, optional }) => optional || shape[0] === -1) &&
    outputs.every(({ shape }) => shape[0] === -1)
  );
}

/** The inputs that every request gives. */
export function requiredInputs({ inputs }: Pick<Signature, 'inputs'>): readonly TensorSpec[] {
  return inputs.filter(({ optional }) => !optional);
}

/** `[-1,1,28,28]`, as shapes are written in messages. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}
