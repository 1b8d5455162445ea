import { elementCount, type Tensor } from '../../src/core/tensor.ts';

/** An FP32 tensor of these values; one row of them if no shape is given. */
export function aTensor(values: readonly number[], given: Partial<Tensor> = {}): Tensor {
  return {
    name: 'x',
    dtype: 'FP32',
    shape: [1, values.length],
    data: new Uint8Array(Float32Array.from(values).buffer),
    ...given,
  };
}

/** The values of an FP32 tensor. */
export function valuesOf(tensor: Tensor | undefined): number[] {
  if (tensor === undefined) return [];
  const values = new Float32Array(Uint8Array.from(tensor.data).buffer);
  if (values.length !== elementCount(tensor.shape)) throw new Error('shape and data disagree');
  return [...values];
}
