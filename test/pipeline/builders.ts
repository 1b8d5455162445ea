import type { ImageSpec } from '../../src/pipeline/image-spec.ts';

/** Four by four pixels, as they are. */
export function aSpec(parts: Partial<ImageSpec> = {}): ImageSpec {
  return {
    input: 'x',
    dtype: 'FP32',
    width: 4,
    height: 4,
    mode: 'rgb',
    layout: 'NCHW',
    fit: 'fill',
    kernel: 'linear',
    background: 0,
    scale: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    ...parts,
  };
}
