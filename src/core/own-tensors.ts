import type { Tensor } from './tensor.ts';

/** Of memory that small things share. */
const SLACK_BYTES = 8_192;

/**
 * Tensors that keep no more memory than about twice their own bytes. Others are views of a message that may be much larger, which
 * a copy of a few bytes would hold for as long as it waits.
 */
export function ownTensors(tensors: readonly Tensor[]): readonly Tensor[] {
  return tensors.some(isSmallPart) ? tensors.map(own) : tensors;
}

function own(tensor: Tensor): Tensor {
  return isSmallPart(tensor) ? { ...tensor, data: Uint8Array.from(tensor.data) } : tensor;
}

function isSmallPart({ data }: Tensor): boolean {
  return data.buffer.byteLength > 2 * data.byteLength + SLACK_BYTES;
}
