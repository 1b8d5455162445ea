import { byteLengthOf, type Dtype, elementCount, type Tensor, type TensorSpec } from './tensor.ts';

/** An input of zeros with every free dimension at 1. */
export function zeros({ name, dtype, shape: free }: TensorSpec): Tensor {
  const shape = free.map((dimension) => (dimension === -1 ? 1 : dimension));
  return { name, dtype, shape, data: zeroBytes(dtype, shape) };
}

/** The bytes of zeros; of BYTES, empty strings. */
export function zeroBytes(dtype: Dtype, shape: readonly number[]): Uint8Array {
  // An empty byte string is a length of zero: four zero bytes.
  return new Uint8Array(byteLengthOf(dtype, shape) ?? elementCount(shape) * 4);
}
