import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Color, type Sharp } from 'sharp';
import t from 'tap';
import { HandClock, systemClock } from '../../src/core/clock.ts';
import { ServeError } from '../../src/core/errors.ts';
import { imageTensorBytes, readImages } from '../../src/demo/images.ts';
import { type CodecOptions, openImageCodec } from '../../src/pipeline/codec.ts';
import type { ImageSpec } from '../../src/pipeline/image-spec.ts';
import { projectRoot } from '../support/project-root.ts';
import { aSpec } from './builders.ts';

const OPTIONS: CodecOptions = {
  threads: 1,
  queueMax: 100,
  queueBytesMax: 100_000_000,
  pixelsMax: 1_000_000,
  secondsMax: 10,
  clock: systemClock,
};
const codec = await openImageCodec(OPTIONS);
t.teardown(() => codec.close());

const NEVER = new AbortController().signal;

function decode(bytes: Uint8Array, spec: Partial<ImageSpec> = {}, by = codec): Promise<Uint8Array> {
  return by.decode(bytes, aSpec(spec), { signal: NEVER, deadlineMs: Infinity });
}

/** What the codec refuses with: code and message. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const thrown = await decode(bytes).catch((error: unknown) => error);
  return thrown instanceof ServeError ? `${thrown.code}: ${thrown.message}` : 'decoded';
}

async function pixels(bytes: Uint8Array, spec: Partial<ImageSpec> = {}): Promise<number[]> {
  return [...(await decode(bytes, { dtype: 'UINT8', layout: 'NHWC', ...spec }))];
}

type Rgb = readonly [number, number, number];

/** Rows of pixels as an image without losses. */
function drawing(rows: readonly (readonly Rgb[])[]): Sharp {
  const raw = { width: rows[0]?.length ?? 0, height: rows.length, channels: 3 } as const;
  return sharp(Uint8Array.from(rows.flat(2)), { raw });
}

const RED: Rgb = [255, 0, 0];
const GREEN: Rgb = [0, 255, 0];
const BLUE: Rgb = [0, 0, 255];
const GREY: Rgb = [9, 9, 9];

t.test('a test image in a file becomes the very input that the demo sends', async (t) => {
  const [image] = await readImages(path.join(projectRoot, 'models/_fashion-mnist'));
  const file = await readFile(path.join(projectRoot, 'docs/examples/ankle-boot.png'));
  const spec = { mode: 'grey', width: 28, height: 28, fit: 'contain' } as const;
  const data = await decode(file, { ...spec, scale: 0.00392156862745098 });
  t.ok(image && Buffer.from(data).equals(imageTensorBytes(image)));
});

t.test('every format that is named is read', async (t) => {
  const plain = drawing(Array<Rgb[]>(16).fill(Array<Rgb>(16).fill([200, 100, 50])));
  for (const format of ['jpeg', 'png', 'tiff', 'webp', 'gif', 'avif'] as const) {
    const found = await pixels(await plain.clone().toFormat(format).toBuffer());
    t.equal(found.length, 48, format);
    const [red = 0, green = 0, blue = 0] = found;
    const off = Math.max(Math.abs(red - 200), Math.abs(green - 100), Math.abs(blue - 50));
    t.ok(off <= 4, `${format}: ${red} ${green} ${blue}`);
  }
});

t.test('an image is stretched, cut or given margins, as is said', async (t) => {
  // Two rows of four: the outer columns differ from the inner ones.
  const wide = await drawing(Array<Rgb[]>(2).fill([RED, GREEN, GREEN, BLUE]))
    .png()
    .toBuffer();
  const size = { width: 2, height: 2, kernel: 'nearest' } as const;
  t.same(await pixels(wide, { ...size, fit: 'cover' }), [GREEN, GREEN, GREEN, GREEN].flat());
  const contained = await pixels(wide, {
    ...size,
    height: 4,
    width: 4,
    fit: 'contain',
    background: 7,
  });
  t.same(contained.slice(0, 12), Array(12).fill(7));
  t.same(contained.slice(12, 24), [RED, GREEN, GREEN, BLUE].flat());
  t.same(contained.slice(36), Array(12).fill(7));
  const columns = await drawing([[GREY, GREY, RED, RED]])
    .png()
    .toBuffer();
  t.same(await pixels(columns, { ...size, fit: 'fill' }), [GREY, RED, GREY, RED].flat());
});

t.test('what is left out in a smaller image is averaged over', async (t) => {
  const rows = Array.from({ length: 8 }, (_, y) =>
    Array.from({ length: 8 }, (_, x): Rgb => ((x + y) % 2 === 0 ? [0, 0, 0] : [200, 200, 200])),
  );
  const board = await drawing(rows).png().toBuffer();
  for (const kernel of ['linear', 'cubic', 'lanczos3'] as const) {
    const found = await pixels(board, { width: 1, height: 1, kernel });
    t.ok(
      found.every((value) => Math.abs(value - 100) <= 2),
      `${kernel}: ${found}`,
    );
  }
});

t.test('photographs are turned upright before anything else', async (t) => {
  const lying = await drawing([[RED, RED, BLUE, BLUE]])
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
  const upright = { width: 1, height: 4, kernel: 'nearest', fit: 'cover' } as const;
  t.same(await pixels(lying, upright), [RED, RED, BLUE, BLUE].flat());
});

t.test('grey, transparent, deep and printed colours all become eight bits of three', async (t) => {
  const size = { width: 1, height: 1 } as const;
  const one = (background: Color, channels: 3 | 4 = 3) =>
    sharp({ create: { width: 3, height: 3, channels, background } });
  const grey = one('#646464').toColourspace('b-w').png();
  t.same(await pixels(await grey.toBuffer(), size), [100, 100, 100]);
  const deep = one('#646464').toColourspace('rgb16').png();
  const shallow = await pixels(await deep.toBuffer(), size);
  t.ok(
    shallow.every((value) => Math.abs(value - 100) <= 1),
    `${shallow}`,
  );
  const half = one({ r: 200, g: 0, b: 0, alpha: 0.5 }, 4).png();
  const [red = 0, green = 0] = await pixels(await half.toBuffer(), { ...size, background: 100 });
  t.ok(Math.abs(red - 150) <= 1 && Math.abs(green - 50) <= 1, `${red} ${green}`);
  const printed = one('#ffffff').toColourspace('cmyk').jpeg();
  t.ok((await pixels(await printed.toBuffer(), size)).every((value) => value > 245));
});

t.test('what is no image, or not one of those, is refused as such', async (t) => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="5" height="5"/>';
  for (const bytes of ['', 'hello', svg, '%PDF-1.7', '\x89PNG\r\n\x1a\n']) {
    t.match(await refusal(Buffer.from(bytes, 'latin1')), /^invalid_input: image: expected JPEG, /);
  }
});

t.test(
  'a broken image is refused, wherever it breaks off, and the next one is decoded',
  async (t) => {
    const noise = Uint8Array.from({ length: 3 * 64 * 64 }, (_, index) => (index * 7_919) % 251);
    const image = sharp(noise, { raw: { width: 64, height: 64, channels: 3 } });
    for (const format of ['png', 'jpeg', 'webp', 'gif', 'tiff'] as const) {
      const whole = await image.clone().toFormat(format).toBuffer();
      for (const share of [0.02, 0.3, 0.7]) {
        const part = whole.subarray(0, Math.ceil(whole.byteLength * share));
        t.match(await refusal(part), /^invalid_input: image: /, `${share} of a ${format}`);
      }
      t.equal(await refusal(whole), 'decoded', format);
    }
  },
);

t.test('bytes that were changed anywhere are an image or are refused', async (t) => {
  const file = await readFile(path.join(projectRoot, 'docs/examples/ankle-boot.png'));
  const answers = await Promise.all(
    Array.from({ length: 90 }, (_, index) => {
      const bytes = Buffer.from(file);
      bytes[(index * 37) % bytes.byteLength] = (index * 101) % 256;
      return refusal(bytes);
    }),
  );
  t.same(
    answers.filter((answer) => !/^(decoded|invalid_input|too_large)/.test(answer)),
    [],
  );
});

t.test('an image that is small as a file and huge in memory is not opened', async (t) => {
  const bomb = await sharp({
    create: { width: 4_000, height: 4_000, channels: 3, background: 'red' },
  })
    .png({ compressionLevel: 9, palette: true })
    .toBuffer();
  t.equal(
    await refusal(bomb),
    'too_large: image is over the limit: expected at most 1000000 pixels, found 4000 x 4000',
  );
});

t.test('beyond the queue an image is refused, and a cancelled one leaves it', async (t) => {
  const clock = new HandClock();
  const small = await openImageCodec({ ...OPTIONS, queueMax: 2, clock });
  t.teardown(() => small.close());
  const image = await drawing([[RED]])
    .png()
    .toBuffer();
  const goes = new AbortController();
  const ask = (signal: AbortSignal, deadlineMs: number): Promise<string> =>
    small.decode(image, aSpec(), { signal, deadlineMs }).then(
      () => 'decoded',
      (error: ServeError) => error.code,
    );
  const running = ask(NEVER, Infinity);
  const leaving = ask(goes.signal, Infinity);
  const late = ask(NEVER, clock.monotonicMs());
  t.equal(await ask(NEVER, Infinity), 'overloaded');
  goes.abort();
  t.equal(await leaving, 'cancelled');
  t.equal(await late, 'deadline_exceeded');
  t.same(await Promise.all([running, ask(NEVER, Infinity)]), ['decoded', 'decoded']);
  t.equal(await ask(goes.signal, Infinity), 'cancelled');
});

t.test('the bytes of waiting images are bounded, and free again once they left', async (t) => {
  const image = await drawing([[RED]])
    .png()
    .toBuffer();
  const narrow = await openImageCodec({ ...OPTIONS, queueBytesMax: 2 * image.byteLength });
  t.teardown(() => narrow.close());
  for (let round = 0; round < 2; round++) {
    const taken = [0, 1, 2].map(() => decode(image, {}, narrow));
    await t.rejects(decode(image, {}, narrow), {
      code: 'overloaded',
      message: /bytes in the queue/,
    });
    await Promise.all(taken);
  }
});

t.test('closing answers what is being decoded and refuses the rest', async (t) => {
  const closing = await openImageCodec(OPTIONS);
  const image = await drawing([[RED]])
    .png()
    .toBuffer();
  const asked = [0, 1].map(() =>
    decode(image, {}, closing).then(
      () => 'decoded',
      (e: ServeError) => e.code,
    ),
  );
  await closing.close();
  t.same(await Promise.all(asked), ['decoded', 'cancelled']);
  await t.rejects(decode(image, {}, closing), { code: 'overloaded' });
});
