import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { splitByteStrings } from '../../../src/core/byte-strings.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type Dtype, elementCount, type Signature } from '../../../src/core/tensor.ts';
import { bytesOf, elementsOf } from '../../../src/load/requests/elements.ts';
import type { ImageForm } from '../../../src/load/requests/image-form.ts';
import { type DecodeImage, imageSamples } from '../../../src/load/requests/images.ts';
import { openImageCodec } from '../../../src/pipeline/codec.ts';
import { imageSpecOf } from '../../../src/pipeline/image-spec.ts';

function taking(dtype: Dtype, shape: readonly number[]): Signature {
  return { inputs: [{ name: 'x', dtype, shape }], outputs: [] };
}

function aFolder(t: Test): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'understudy-images-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Red in the left half, blue in the right. */
async function aPicture(): Promise<Buffer> {
  const pixels = [255, 0, 0, 0, 0, 255];
  return await sharp(Buffer.from(pixels), { raw: { width: 2, height: 1, channels: 3 } })
    .png()
    .toBuffer();
}

async function aDecoder(t: Test, signature: Signature) {
  const codec = await openImageCodec({
    threads: 1,
    queueMax: 16,
    queueBytesMax: 1_000_000,
    pixelsMax: 1_000_000,
    secondsMax: 10,
    clock: systemClock,
  });
  t.teardown(() => codec.close());
  const forms: ImageForm[] = [];
  const { signal } = new AbortController();
  const decode: DecodeImage = (bytes, form) => {
    forms.push(form);
    const spec = imageSpecOf({ ...form, kernel: 'nearest' }, signature);
    return codec.decode(bytes, spec, { signal, deadlineMs: systemClock.monotonicMs() + 10_000 });
  };
  return { decode, forms };
}

t.test('images of a folder become tensors in the order of their names', async (t) => {
  const folder = aFolder(t);
  writeFileSync(path.join(folder, 'b.PNG'), await aPicture());
  writeFileSync(
    path.join(folder, 'a.png'),
    await sharp(await aPicture())
      .flop()
      .png()
      .toBuffer(),
  );
  writeFileSync(path.join(folder, 'labels.csv'), 'a,b');
  const signature = taking('FP32', [-1, 3, -1, -1]);
  const { decode, forms } = await aDecoder(t, signature);
  const options = { countMax: 5, shapes: { x: [3, 1, 2] }, decode };
  const samples = await imageSamples(folder, signature, options);
  t.same(forms[0], {
    input: 'x',
    width: 2,
    height: 1,
    mode: 'rgb',
    layout: 'NCHW',
    dtype: 'FP32',
    scale: 1 / 255,
    mean: 0,
    std: 1,
  });
  t.same(
    samples.map(({ inputs: [input] }) => [
      input?.shape,
      elementsOf('FP32', input?.data ?? new Uint8Array()),
    ]),
    [
      [
        [1, 3, 1, 2],
        [0, 1, 0, 0, 1, 0],
      ],
      [
        [1, 3, 1, 2],
        [1, 0, 0, 0, 0, 1],
      ],
    ],
  );
  const last = taking('UINT8', [1, 2, 2, 3]);
  const other = await aDecoder(t, last);
  const [one, ...more] = await imageSamples(folder, last, {
    countMax: 1,
    shapes: {},
    decode: other.decode,
  });
  t.same([...(one?.inputs[0]?.data ?? [])], [0, 0, 255, 255, 0, 0, 0, 0, 255, 255, 0, 0]);
  t.equal(more.length, 0);
  writeFileSync(path.join(folder, 'c.png'), 'no image');
  await t.rejects(imageSamples(folder, signature, options), /c\.png: /);
});

t.test('a model that takes BYTES is sent the files as they are', async (t) => {
  const folder = aFolder(t);
  writeFileSync(path.join(folder, 'a.png'), await aPicture());
  const decode: DecodeImage = async () => t.fail('must not be called') as never;
  for (const shape of [[-1], [-1, 1], [-1, -1], [1]]) {
    const [sample] = await imageSamples(folder, taking('BYTES', shape), {
      countMax: 9,
      shapes: {},
      decode,
    });
    const [input] = sample?.inputs ?? [];
    t.equal(elementCount(input?.shape ?? []), 1);
    t.same(
      splitByteStrings(input?.data ?? new Uint8Array()).map((each) => Buffer.from(each)),
      [await aPicture()],
    );
  }
});

t.test('a folder or a model that has nothing to do with images is refused', async (t) => {
  const folder = aFolder(t);
  const [one] = taking('UINT8', [1, 3, 8, 8]).inputs;
  const two = { inputs: one === undefined ? [] : [one, { ...one, name: 'z' }], outputs: [] };
  const decode: DecodeImage = async () => new Uint8Array();
  const options = { countMax: 9, shapes: {}, decode };
  await t.rejects(
    imageSamples(folder, taking('UINT8', [1, 3, 8, 8]), options),
    /expected images \(\.jpg/,
  );
  writeFileSync(path.join(folder, 'a.png'), await aPicture());
  await t.rejects(imageSamples(folder, taking('INT32', [1, 3, 8, 8]), options), /found INT32/);
  await t.rejects(
    imageSamples(folder, taking('FP32', [1, 3, 8, 3]), options),
    /expected \[1,C,H,W\]/,
  );
  await t.rejects(imageSamples(folder, two, options), /one input, found 2/);
  await t.rejects(
    imageSamples(folder, taking('UINT8', [1, 3, 8, 8]), options),
    /expected 192 bytes decoded, found 0/,
  );
  const scaled = { ...options, scale: '0..1' as const };
  await t.rejects(
    imageSamples(folder, taking('UINT8', [1, 3, 8, 8]), scaled),
    /scale 0\.\.255 for UINT8/,
  );
});

t.test('images in an IDX file are taken where there are no others', async (t) => {
  const folder = aFolder(t);
  const head = Buffer.alloc(16);
  for (const [at, value] of [0x803, 2, 1, 4].entries()) head.writeUInt32BE(value, at * 4);
  const file = path.join(folder, 't10k-images-idx3-ubyte.gz');
  writeFileSync(file, gzipSync(Buffer.concat([head, Buffer.from([0, 51, 255, 0, 1, 2, 3, 4])])));
  const decode: DecodeImage = async () => new Uint8Array();
  const options = { countMax: 1, shapes: {}, decode };
  const [sample, ...more] = await imageSamples(folder, taking('FP32', [-1, 1, 1, 4]), options);
  t.same(sample?.inputs[0]?.data, bytesOf('FP32', [0, 51 / 255, 1, 0]));
  t.equal(more.length, 0);
  const normal = { ...options, mean: 0.5, std: [0.5], scale: '0..255' as const };
  const [shifted] = await imageSamples(folder, taking('FP32', [-1, 1, 1, 4]), normal);
  t.same(shifted?.inputs[0]?.data, bytesOf('FP32', [-1, 101, 509, -1]));
  await t.rejects(
    imageSamples(folder, taking('FP32', [-1, 1, 2, 4]), options),
    /found grey ones of 4 x 1/,
  );
  writeFileSync(file, gzipSync(head));
  await t.rejects(
    imageSamples(folder, taking('FP32', [-1, 1, 1, 4]), options),
    /expected 2 images of 4 bytes, found 0/,
  );
});
