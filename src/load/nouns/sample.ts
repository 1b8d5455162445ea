import type { Tensor } from '../../core/tensor.ts';

/** The inputs of one request, and the outputs that it must be answered with where they are known. */
export type Sample = {
  readonly inputs: readonly Tensor[];
  readonly expected?: readonly Tensor[];
};
