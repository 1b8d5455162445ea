import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { bytesOf } from './elements.ts';
import type { ImageForm } from './image-form.ts';

/** Three dimensions of unsigned bytes: images, rows, columns. */
const MAGIC = 0x00000803;
const HEADER_BYTES = 16;
/** Unpacked. */
const FILE_BYTES_MAX = 1024 * 1024 * 1024;

/** Whether a file is called as the MNIST sets call theirs: `t10k-images-idx3-ubyte.gz`. */
export function isIdxImages(name: string): boolean {
  return /images[-.]idx3-ubyte(\.gz)?$/.test(name);
}

/**
 * The first images of an IDX file (the form is described with the MNIST sets) as tensors' data. They are grey and not resized.
 *
 * @throws Error that names the file where it is none, or its images are not what the model takes.
 */
export async function readIdxImages(
  file: string,
  form: ImageForm,
  countMax: number,
): Promise<readonly Uint8Array[]> {
  const packed = await readFile(file);
  const bytes = file.endsWith('.gz')
    ? gunzipSync(packed, { maxOutputLength: FILE_BYTES_MAX })
    : packed;
  if (bytes.byteLength < HEADER_BYTES || bytes.readUInt32BE(0) !== MAGIC) {
    throw new Error(`${file}: expected images in the IDX form, found other bytes`);
  }
  const [count, height, width] = [4, 8, 12].map((at) => bytes.readUInt32BE(at)) as [
    number,
    number,
    number,
  ];
  const size = width * height;
  if (bytes.byteLength !== HEADER_BYTES + count * size || count === 0) {
    throw new Error(
      `${file}: expected ${count} images of ${size} bytes, found ${bytes.byteLength - HEADER_BYTES} bytes`,
    );
  }
  if (form.mode !== 'grey' || form.width !== width || form.height !== height) {
    throw new Error(
      `${file}: expected ${form.mode} images of ${form.width} x ${form.height}, found grey ones of ${width} x ${height}`,
    );
  }
  return Array.from({ length: Math.min(count, countMax) }, (_, index) => {
    const start = HEADER_BYTES + index * size;
    return tensorOf(bytes.subarray(start, start + size), form);
  });
}

function tensorOf(pixels: Uint8Array, { dtype, scale, mean, std }: ImageForm): Uint8Array {
  const [shift, divisor] = [channel(mean, 0), channel(std, 1)];
  const values = Array.from(pixels, (pixel) => (pixel * scale - shift) / divisor);
  if (dtype !== 'UINT8') return bytesOf(dtype, values);
  return Uint8Array.from(Uint8ClampedArray.from(values));
}

function channel(value: number | readonly number[], none: number): number {
  return typeof value === 'number' ? value : (value[0] ?? none);
}
