import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import t from 'tap';
import { projectRoot } from '../support/project-root.ts';

/** Pixels at or below this value are background (models/_fashion-mnist/README.md). */
const BACKGROUND_MAX = 20;
const PIXELS = 28 * 28;
const BATCH_ROWS = 500;
/** Another processor may round two close classes the other way: one or two images of a slice. */
const TOLERANCE_PERCENT = 0.1;
const VERSIONS = ['1', '2', '3'];
const DARK_UPPER = 'tone = dark and garment = upper';
/** The slices of version 3's card that contain dark upper-body garments, and so fall with them. */
const HOLD_DARK_UPPERS = new Set([DARK_UPPER, 'tone = dark', 'garment = upper']);
const GARMENT_OF_LABEL = [
  'upper',
  'lower',
  'upper',
  'dress',
  'upper',
  'shoe',
  'upper',
  'shoe',
  'bag',
  'shoe',
];

type Item = { readonly label: number; readonly tone: string; readonly garment: string };
type Row = { readonly slice: string; readonly images: number; readonly percent: number };

const MODELS = join(projectRoot, 'models');
const DATA = join(MODELS, '_fashion-mnist');
const pixels = readIdx('t10k-images-idx3-ubyte.gz', 16);
const labels = readIdx('t10k-labels-idx1-ubyte.gz', 8);
const items: readonly Item[] = Array.from(labels, (label, index) => ({
  label,
  tone: toneOf(pixels.subarray(index * PIXELS, (index + 1) * PIXELS)),
  garment: GARMENT_OF_LABEL[label] ?? 'unknown',
}));

function readIdx(name: string, headerBytes: number): Uint8Array {
  return gunzipSync(readFileSync(join(DATA, name))).subarray(headerBytes);
}

function toneOf(image: Uint8Array): string {
  const garment = image.filter((pixel) => pixel > BACKGROUND_MAX);
  const mean = garment.reduce((sum, pixel) => sum + pixel, 0) / Math.max(garment.length, 1);
  if (mean < 141.5) return 'dark';
  return mean < 182 ? 'mid' : 'light';
}

/** Whether an item is in a slice, from the words that the cards use. */
function isIn(slice: string, item: Item): boolean {
  if (slice === 'all') return true;
  return slice.split(' and ').every((part) => {
    const match = /^(tone|garment) (=|not) (\w+)$/.exec(part);
    if (match === null) throw new Error(`A card names an unknown slice: ${slice}`);
    const [, attribute, operator, value] = match;
    return ((attribute === 'tone' ? item.tone : item.garment) === value) === (operator === '=');
  });
}

function readTable(version: string): Row[] {
  const card = readFileSync(join(MODELS, 'fashion', version, 'README.md'), 'utf8');
  const rows = card.matchAll(/^\| (.+?) \| (\d+) \| (\d+\.\d) \|$/gm);
  return Array.from(rows, ([, slice = '', images, percent]) => ({
    slice,
    images: Number(images),
    percent: Number(percent),
  }));
}

/** For each test image, whether the model's first choice is its label. */
async function answersOf(version: string): Promise<boolean[]> {
  const session = await InferenceSession.create(join(MODELS, 'fashion', version, 'model.onnx'), {
    intraOpNumThreads: 1,
  });
  const right: boolean[] = [];
  for (let first = 0; first < items.length; first += BATCH_ROWS) {
    const batch = pixels.subarray(first * PIXELS, (first + BATCH_ROWS) * PIXELS);
    const image = new Tensor(
      'float32',
      Float32Array.from(batch, (p) => p / 255),
      [batch.length / PIXELS, 1, 28, 28],
    );
    const { probabilities } = await session.run({ image });
    right.push(...firstChoices(probabilities).map((c, row) => c === items[first + row]?.label));
  }
  await session.release();
  return right;
}

function firstChoices(probabilities: Tensor | undefined): number[] {
  const rows = probabilities?.dims[0] ?? 0;
  const values = probabilities?.data;
  if (!(values instanceof Float32Array)) throw new Error('`probabilities` must be float32.');
  return Array.from({ length: rows }, (_, row) => {
    const scores = values.subarray(row * 10, row * 10 + 10);
    return scores.indexOf(Math.max(...scores));
  });
}

function percentRight(slice: string, right: readonly boolean[]): number {
  const inside = right.filter((_, index) => isIn(slice, items[index] as Item));
  return (100 * inside.filter(Boolean).length) / inside.length;
}

/** How far two figures are apart once both are printed with one decimal. */
function printedGap(measured: number, printed: number): number {
  return Math.abs(Math.round(measured * 10) - Math.round(printed * 10)) / 10;
}

const tables = new Map(VERSIONS.map((version) => [version, readTable(version)]));

function percentOf(version: string, slice: string): number {
  return tables.get(version)?.find((row) => row.slice === slice)?.percent ?? Number.NaN;
}

function slicesOf(version: string): string[] {
  return tables.get(version)?.map((row) => row.slice) ?? [];
}

t.test('every file is the one its checksum names', async (t) => {
  for (const folder of [DATA, ...VERSIONS.map((version) => join(MODELS, 'fashion', version))]) {
    const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n');
    t.equal(sums.length, 3);
    for (const line of sums) {
      const [digest, name = ''] = line.split('  ');
      const bytes = readFileSync(join(folder, name));
      t.equal(createHash('sha256').update(bytes).digest('hex'), digest, join(folder, name));
    }
  }
});

t.test('attributes.csv says of each test image what its pixels and its label say', async (t) => {
  const rows = items.map(({ label, tone, garment }, index) =>
    [index, label, tone, garment].join(','),
  );
  const [header, ...lines] = readFileSync(join(DATA, 'attributes.csv'), 'utf8').trim().split('\n');
  t.equal(header, 'index,label,tone,garment');
  t.equal(lines.length, 10_000);
  t.same(lines, rows);
});

for (const version of VERSIONS) {
  // The figures were measured when the model was trained; these come from the ONNX file that ships.
  t.test(`the card of version ${version} has the model's accuracy on every slice`, async (t) => {
    const right = await answersOf(version);
    t.equal(right.length, 10_000);
    const table = readTable(version);
    t.equal(table.length, 12);
    for (const { slice, images, percent } of table) {
      t.equal(items.filter((item) => isIn(slice, item)).length, images, slice);
      const measured = percentRight(slice, right);
      t.ok(printedGap(measured, percent) <= TOLERANCE_PERCENT, slice, { percent, measured });
    }
  });
}

t.test('all cards list the same slices', async (t) => {
  t.same(slicesOf('2'), slicesOf('1'));
  t.same(slicesOf('3'), slicesOf('1'));
});

t.test('version 2 is better than version 1 on every slice', async (t) => {
  for (const slice of slicesOf('1')) t.ok(percentOf('2', slice) > percentOf('1', slice), slice);
});

t.test('version 3 is better than version 2 in the mean and where no dark upper is', async (t) => {
  t.ok(percentOf('3', 'all') >= percentOf('2', 'all') + 0.5, 'all');
  for (const slice of slicesOf('2').filter((name) => !HOLD_DARK_UPPERS.has(name)))
    t.ok(percentOf('3', slice) > percentOf('2', slice), slice);
});

t.test('version 3 is at least 15 points worse than version 2 on dark uppers', async (t) => {
  t.ok(percentOf('3', DARK_UPPER) <= percentOf('2', DARK_UPPER) - 15, DARK_UPPER);
});
