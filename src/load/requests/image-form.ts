import { formatShape, type TensorSpec } from '../../core/tensor.ts';

/**
 * What an image must become: pixels from 0 to 255, stretched to the size, as `(pixel * scale - mean[channel]) / std[channel]`; one
 * mean and one std for all channels, or one for each.
 */
export type ImageForm = {
  /** The input's name. */
  readonly input: string;
  readonly width: number;
  readonly height: number;
  readonly mode: 'grey' | 'rgb';
  readonly layout: 'NCHW' | 'NHWC';
  readonly dtype: 'UINT8' | 'FP16' | 'FP32';
  readonly scale: number;
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
};

export type PixelOptions = {
  /** What the pixel values become; undefined: 0..1 for floats, 0..255 for UINT8. */
  readonly scale?: '0..1' | '0..255' | undefined;
  /** Taken off after scaling. */
  readonly mean?: number | readonly number[] | undefined;
  readonly std?: number | readonly number[] | undefined;
};

/**
 * The form of an input's images, from its shape without free dimensions: `[1,C,H,W]` or `[1,H,W,C]` with one or three channels.
 *
 * @throws Error that names the input where it takes no image.
 */
export function imageFormOf(spec: TensorSpec, options: PixelOptions): ImageForm {
  const { name, shape } = spec;
  const dtype = dtypeOf(spec);
  const layout = layoutOf(spec);
  const [, second = 0, third = 0, last = 0] = shape;
  const [channels, height, width] =
    layout === 'NCHW' ? [second, third, last] : [last, second, third];
  if (dtype === 'UINT8' && options.scale === '0..1') {
    throw new Error(`"${name}": expected the scale 0..255 for UINT8, found 0..1`);
  }
  const isWhole = dtype === 'UINT8' || options.scale === '0..255';
  return {
    input: name,
    width,
    height,
    mode: channels === 1 ? 'grey' : 'rgb',
    layout,
    dtype,
    scale: isWhole ? 1 : 1 / 255,
    mean: options.mean ?? 0,
    std: options.std ?? 1,
  };
}

function dtypeOf({ name, dtype }: TensorSpec): ImageForm['dtype'] {
  if (dtype === 'UINT8' || dtype === 'FP16' || dtype === 'FP32') return dtype;
  throw new Error(`"${name}": expected BYTES, UINT8, FP16 or FP32 for an image, found ${dtype}`);
}

function layoutOf({ name, shape }: TensorSpec): ImageForm['layout'] {
  const [rows, second = 0, , last = 0] = shape;
  const [isFirst, isLast] = [isChannels(second), isChannels(last)];
  if (shape.length === 4 && rows === 1 && isFirst !== isLast) return isFirst ? 'NCHW' : 'NHWC';
  throw new Error(
    `"${name}": expected [1,C,H,W] or [1,H,W,C] with 1 or 3 channels, found ${formatShape(shape)}`,
  );
}

function isChannels(size: number): boolean {
  return size === 1 || size === 3;
}
