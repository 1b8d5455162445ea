/**
 * Samples from a folder of images. A model that takes BYTES is sent the files as they are; one that takes a tensor of pixels is sent
 * what `decode` makes of them. Where a folder has no images but a file of them in the IDX form of the MNIST sets, those are taken.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { joinByteStrings } from '../../core/byte-strings.ts';
import { messageOf } from '../../core/errors.ts';
import {
  byteLengthOf,
  elementCount,
  formatShape,
  type Signature,
  type TensorSpec,
} from '../../core/tensor.ts';
import type { Sample } from '../nouns/sample.ts';
import { isIdxImages, readIdxImages } from './idx-images.ts';
import { type ImageForm, imageFormOf, type PixelOptions } from './image-form.ts';
import { checkInputs, type Shapes, shapeOf } from './input-shape.ts';

/** Makes the data of one image's tensor of an encoded image. May be called for several images concurrently. */
export type DecodeImage = (encoded: Uint8Array, form: ImageForm) => Promise<Uint8Array>;

export type ImageOptions = PixelOptions & {
  /** So many images at most, the first in the order of their names. */
  readonly countMax: number;
  readonly shapes: Shapes;
  readonly decode: DecodeImage;
};

const EXTENSIONS = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'];
const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Files read and decoded at a time: enough for a decoder's threads, few enough for its queue. */
const AT_A_TIME = 8;

/**
 * One sample for each image, one row each.
 *
 * @throws Error where the folder has no images, the model does not take one image, or an image cannot be decoded; it names the file.
 */
export async function imageSamples(
  folder: string,
  signature: Signature,
  options: ImageOptions,
): Promise<Sample[]> {
  checkInputs(signature, { batch: 1, shapes: options.shapes });
  const spec = onlyInput(signature);
  const names = (await namesIn(folder)).sort();
  const images = names.filter((name) => EXTENSIONS.includes(extname(name).toLowerCase()));
  const idx = images.length === 0 ? names.find(isIdxImages) : undefined;
  const toSample = sampleMaker(spec, options);
  if (idx !== undefined) {
    const data = await readIdxImages(join(folder, idx), pixelForm(spec, options), options.countMax);
    return data.map(toSample);
  }
  if (images.length === 0) {
    throw new Error(`${folder}: expected images (${EXTENSIONS.join(', ')}), found none`);
  }
  const files = images.slice(0, options.countMax).map((name) => join(folder, name));
  const read = readerOf(spec, options);
  const samples: Sample[] = [];
  for (let at = 0; at < files.length; at += AT_A_TIME) {
    const data = await Promise.all(files.slice(at, at + AT_A_TIME).map(read));
    samples.push(...data.map(toSample));
  }
  return samples;
}

function onlyInput({ inputs }: Signature): TensorSpec {
  const [spec, second] = inputs;
  if (spec !== undefined && second === undefined) return spec;
  throw new Error(`images: expected a model with one input, found ${inputs.length}`);
}

/** Of what a file's tensor holds to a sample. */
function sampleMaker(spec: TensorSpec, { shapes }: ImageOptions): (data: Uint8Array) => Sample {
  const { name, dtype } = spec;
  const shape = spec.dtype === 'BYTES' ? encodedShape(spec, shapes) : pixelShape(spec, shapes);
  return (data) => ({ inputs: [{ name, dtype, shape, data }] });
}

function readerOf(spec: TensorSpec, options: ImageOptions): (file: string) => Promise<Uint8Array> {
  if (spec.dtype === 'BYTES') return async (file) => joinByteStrings([await encodedImage(file)]);
  const form = pixelForm(spec, options);
  const bytes = byteLengthOf(spec.dtype, pixelShape(spec, options.shapes));
  return async (file) => {
    const encoded = await encodedImage(file);
    const data = await options.decode(encoded, form).catch((cause: unknown) => {
      throw new Error(`${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    });
    if (data.byteLength === bytes) return data;
    throw new Error(`${file}: expected ${bytes} bytes decoded, found ${data.byteLength}`);
  };
}

async function encodedImage(file: string): Promise<Uint8Array> {
  const { size } = await stat(file);
  if (size <= FILE_BYTES_MAX) return await readFile(file);
  throw new Error(`${file}: expected at most ${FILE_BYTES_MAX} bytes, found ${size}`);
}

/** An encoded image is one element: every dimension that is open is 1. */
function encodedShape({ name, dtype, shape }: TensorSpec, shapes: Shapes): readonly number[] {
  const ones = shape.map((size) => (size === -1 ? 1 : size));
  const found = shapeOf({ name, dtype, shape: ones }, { batch: 1, shapes });
  if (elementCount(found) === 1) return found;
  throw new Error(`"${name}": expected one element for an image, found ${formatShape(shape)}`);
}

function pixelShape(spec: TensorSpec, shapes: Shapes): readonly number[] {
  return shapeOf(spec, { batch: 1, shapes });
}

function pixelForm(spec: TensorSpec, options: ImageOptions): ImageForm {
  return imageFormOf({ ...spec, shape: pixelShape(spec, options.shapes) }, options);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    const message = `${folder}: expected a folder of images: ${messageOf(error)}`;
    throw new Error(message, { cause: error });
  });
}
