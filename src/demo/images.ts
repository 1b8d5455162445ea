import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** One labelled test image with the attributes that slices are declared on. */
export type LabelledImage = {
  /** Its place in the test set. */
  readonly index: number;
  /** 28 x 28 grey values, row by row; 0 is background. */
  readonly pixels: Uint8Array;
  readonly label: number;
  readonly attributes: Readonly<Record<string, string>>;
};

/** The side of an image, in pixels. */
export const IMAGE_SIDE = 28;

const IMAGE_BYTES = IMAGE_SIDE * IMAGE_SIDE;
const IMAGES_HEADER_BYTES = 16;
const LABELS_HEADER_BYTES = 8;

/** Reads the committed test images: two IDX files and a table of attributes, in one folder. */
export async function readImages(folder: string): Promise<readonly LabelledImage[]> {
  const [images, labels, table] = await Promise.all([
    readFile(join(folder, 't10k-images-idx3-ubyte.gz')),
    readFile(join(folder, 't10k-labels-idx1-ubyte.gz')),
    readFile(join(folder, 'attributes.csv'), 'utf8'),
  ]);
  const pixels = gunzipSync(images);
  const classes = gunzipSync(labels).subarray(LABELS_HEADER_BYTES);
  const attributes = attributesByIndex(table);
  return Array.from(classes, (label, index) => {
    const start = IMAGES_HEADER_BYTES + index * IMAGE_BYTES;
    return {
      index,
      pixels: pixels.subarray(start, start + IMAGE_BYTES),
      label,
      attributes: attributes.get(index) ?? {},
    };
  });
}

/** The image as the models take it: float32 in [0, 1], little-endian. */
export function imageTensorBytes(image: LabelledImage): Uint8Array {
  const values = Float32Array.from(image.pixels, (grey) => grey / 255);
  return new Uint8Array(values.buffer);
}

/** `index,label,tone,garment` with a heading; columns after the label are attributes. */
function attributesByIndex(table: string): Map<number, Record<string, string>> {
  const [heading = '', ...rows] = table.trim().split('\n');
  const names = heading.split(',').slice(2);
  return new Map(
    rows.map((row) => {
      const [index = '', , ...values] = row.trim().split(',');
      return [Number(index), Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']))];
    }),
  );
}

/** The mean of an image's pixels, from 0 to 1. */
export function meanOf({ pixels }: LabelledImage): number {
  return pixels.reduce((sum, grey) => sum + grey, 0) / (255 * pixels.length);
}
