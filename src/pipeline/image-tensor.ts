import { toFp16Bits } from '../core/narrow-floats.ts';
import type { ImageSpec } from './image-spec.ts';

/** Pixels of three channels (red, green, blue), row by row. */
export type Pixels = { readonly width: number; readonly height: number; readonly rgb: Uint8Array };

type Cells = Uint8Array | Uint16Array | Float32Array;

/**
 * The data of an image's tensor: grey or in the order of the channels, normalised, laid out. `pixels` has the specification's
 * size. Integers are rounded to the nearest, and stay between 0 and 255.
 */
export function imageTensor({ rgb }: Pixels, spec: ImageSpec): Uint8Array {
  const count = spec.width * spec.height;
  const planes = planesOf(rgb, count, spec.mode);
  const cells = newCells(spec.dtype, count * planes.length);
  for (const [channel, plane] of planes.entries()) {
    const table = tableOf(spec, channel);
    const [first, step] = spec.layout === 'NCHW' ? [channel * count, 1] : [channel, planes.length];
    for (let index = 0; index < count; index++) {
      cells[first + index * step] = table[plane(index)] as number;
    }
  }
  return new Uint8Array(cells.buffer);
}

/** The value of a pixel in one channel, by the pixel's index. */
type Plane = (index: number) => number;

const RED = 0;
const GREEN = 1;
const BLUE = 2;

function planesOf(rgb: Uint8Array, count: number, mode: ImageSpec['mode']): readonly Plane[] {
  const plane =
    (offset: number): Plane =>
    (index) =>
      rgb[index * 3 + offset] as number;
  switch (mode) {
    case 'rgb':
      return [plane(RED), plane(GREEN), plane(BLUE)];
    case 'bgr':
      return [plane(BLUE), plane(GREEN), plane(RED)];
    case 'grey': {
      const grey = greyOf(rgb, count);
      return [(index) => grey[index] as number];
    }
  }
}

/**
 * Luma by ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, in sixteenths of a bit and rounded: what the usual training tools
 * do to the last bit. What is grey already stays what it is.
 */
function greyOf(rgb: Uint8Array, count: number): Uint8Array {
  const grey = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const at = index * 3;
    const [red, green, blue] = [rgb[at] as number, rgb[at + 1] as number, rgb[at + 2] as number];
    grey[index] = (red * 19_595 + green * 38_470 + blue * 7_471 + 32_768) >>> 16;
  }
  return grey;
}

/** What each of the 256 pixel values becomes, as the tensor holds it. */
function tableOf({ dtype, scale, mean, std }: ImageSpec, channel: number): Cells {
  const [shift = 0, divisor = 1] = [mean[channel], std[channel]];
  const values = Float64Array.from(
    { length: 256 },
    (_, pixel) => (pixel * scale - shift) / divisor,
  );
  switch (dtype) {
    case 'FP32':
      return Float32Array.from(values);
    case 'FP16':
      return Uint16Array.from(values, toFp16Bits);
    case 'UINT8':
      return new Uint8Array(Uint8ClampedArray.from(values, Math.round));
  }
}

function newCells(dtype: ImageSpec['dtype'], count: number): Cells {
  if (dtype === 'FP32') return new Float32Array(count);
  return dtype === 'FP16' ? new Uint16Array(count) : new Uint8Array(count);
}
