import sharp from 'sharp';
import { messageOf, ServeError } from '../core/errors.ts';
import type { ImageSpec } from './image-spec.ts';
import type { Pixels } from './image-tensor.ts';
import { placeImage, type Size } from './place-image.ts';

export type ReadLimits = {
  /** Pixels of the image as it came, frames of an animation not counted. Beyond: `too_large`. */
  readonly pixelsMax: number;
  /** Decoding that takes longer is ended: `deadline_exceeded`. The library counts in whole seconds. */
  readonly secondsMax: number;
};

/** The usual names of the formats that are read. */
const FORMATS = 'JPEG, PNG, TIFF, WebP, GIF or AVIF';

/** The library's own names of those: it would read drawings, documents and every other format it was built with, too. */
const READERS = ['Jpeg', 'Png', 'Tiff', 'Webp', 'Nsgif', 'Heif'];

// Both hold for the whole process. One thread for each image, as many images in parallel as there are workers; no
// image is cached, since none is expected twice.
sharp.concurrency(1);
sharp.cache(false);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: READERS.map((format) => `VipsForeignLoad${format}Buffer`) });

/**
 * Decodes an image to the specification's size: upright as its orientation says, the first frame, on the background where it is
 * transparent, eight bits of red, green and blue.
 *
 * @throws ServeError `invalid_input` for what is no image, a format that is not read or a broken file; `too_large`;
 * `deadline_exceeded`.
 */
export async function readImage(
  bytes: Uint8Array,
  spec: ImageSpec,
  limits: ReadLimits,
): Promise<Pixels> {
  const image = await sizeOf(bytes, limits);
  const { crop, size, margins } = placeImage(image, spec, spec.fit);
  const { background: grey } = spec;
  const background = { r: grey, g: grey, b: grey };
  const { data, info } = await sharp(bytes, {
    limitInputPixels: limits.pixelsMax,
    failOn: 'error',
    autoOrient: true,
  })
    .flatten({ background })
    .extract(crop)
    .resize({
      width: size.width,
      height: size.height,
      fit: 'fill',
      kernel: spec.kernel,
      fastShrinkOnLoad: false,
    })
    .extend({ ...margins, background })
    .toColourspace('srgb')
    .timeout({ seconds: limits.secondsMax })
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((thrown: unknown) => {
      throw refusalOf(thrown, limits);
    });
  return { width: info.width, height: info.height, rgb: threeChannels(data, info.channels) };
}

/** The size of the upright image, from its header alone. */
async function sizeOf(bytes: Uint8Array, { pixelsMax }: ReadLimits): Promise<Size> {
  if (bytes.byteLength === 0) throw invalid('no bytes');
  const found = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((thrown: unknown) => {
      throw invalid(messageOf(thrown));
    });
  const { width, height } = found.autoOrient;
  if (width * height <= pixelsMax) return { width, height };
  throw new ServeError(
    'too_large',
    `image is over the limit: expected at most ${pixelsMax} pixels, found ${width} x ${height}`,
  );
}

function refusalOf(thrown: unknown, { secondsMax }: ReadLimits): ServeError {
  const message = messageOf(thrown);
  if (!message.startsWith('timeout')) return invalid(message);
  return new ServeError(
    'deadline_exceeded',
    `image: expected to be decoded within ${secondsMax} s, found ${message}`,
  );
}

function invalid(found: string): ServeError {
  const reason = found.replaceAll(/\s*\n\s*/g, '; ').replace(/; $/, '');
  return new ServeError('invalid_input', `image: expected ${FORMATS}, found: ${reason}`);
}

/** A grey image may come as one channel. */
function threeChannels(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const rgb = new Uint8Array((data.byteLength / channels) * 3);
  for (let index = 0; index < rgb.byteLength; index++) {
    rgb[index] = data[Math.floor(index / 3) * channels] as number;
  }
  return rgb;
}
