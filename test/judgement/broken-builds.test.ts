import { spawn } from 'node:child_process';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import t from 'tap';
import { imageTensorBytes, meanOf } from '../../src/demo/images.ts';
import { aModelFile } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import { readOriginal, testImages } from './exam.ts';
import { VARIANTS } from './variants.ts';

const CLASSES = 10;
/** A fourth of them shows what the shares are. */
const images = (await testImages()).filter((_, at) => at % 4 === 0);
const original = await readOriginal();
const expected = await scoresOf(original.bytes);

function bytesOf(name: string): Uint8Array {
  const variant = VARIANTS.find((one) => one.name === name);
  if (!variant) throw new Error(`expected a variant, found ${name}`);
  return variant.build(original);
}

function tensorOf(list: typeof images): Tensor {
  const bytes = Buffer.concat(list.map(imageTensorBytes));
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return new Tensor('float32', values.slice(), [list.length, 1, 28, 28]);
}

async function run(model: Uint8Array, list: typeof images): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1 });
  try {
    const { probabilities } = await session.run({ image: tensorOf(list) });
    return probabilities?.data as Float32Array;
  } finally {
    await session.release();
  }
}

/** A row for each test image. */
async function scoresOf(model: Uint8Array): Promise<readonly Float32Array[]> {
  const flat = await run(model, images);
  return images.map((_, at) => flat.subarray(at * CLASSES, (at + 1) * CLASSES));
}

function shareOf(test: (at: number) => boolean): number {
  return images.filter((_, at) => test(at)).length / images.length;
}

const topOf = (scores: Float32Array | undefined) => scores?.indexOf(Math.max(...scores));
const isSame = (scores: Float32Array | undefined, at: number) =>
  scores?.every((score, index) => score === expected[at]?.[index]) === true;

for (const [name, least, most] of [
  ['permuted', 1, 1],
  ['bias', 0.08, 0.1],
  ['noise-0.2', 0.04, 0.15],
  ['noise-0.03', 0.015, 0.02],
  ['noise-0.001', 0, 0.002],
  ['flattened', 0, 0],
] as const) {
  t.test(`${name} changes the top class of ${least} to ${most} of the images`, async (t) => {
    const scores = await scoresOf(bytesOf(name));
    const share = shareOf((at) => topOf(scores[at]) !== topOf(expected[at]));
    t.ok(share >= least && share <= most, String(share));
    t.not(
      shareOf((at) => isSame(scores[at], at)),
      1,
    );
  });
}

t.test('flattened leaves the top class a probability below a half', async (t) => {
  const scores = await scoresOf(bytesOf('flattened'));
  t.equal(
    shareOf((at) => Math.max(...(scores[at] ?? [])) > 0.5),
    0,
  );
});

for (const [name, share] of [
  ['nan-1', 0.01],
  ['nan-0.4', 0.004],
] as const) {
  t.test(`${name} answers NaN on that share, and keeps every other bit`, async (t) => {
    const scores = await scoresOf(bytesOf(name));
    const nan = shareOf((at) => scores[at]?.every(Number.isNaN) === true);
    t.ok(Math.abs(nan - share) < share / 2, String(nan));
    t.equal(nan + shareOf((at) => isSame(scores[at], at)), 1);
  });
}

for (const name of ['slower', 'barely-slower']) {
  t.test(`${name} keeps every bit`, async (t) => {
    const scores = await scoresOf(bytesOf(name));
    t.equal(
      shareOf((at) => isSame(scores[at], at)),
      1,
    );
  });
}

t.test('error fails the runs of the 1 % brightest images, and no other', async (t) => {
  const bright = images.filter((image) => meanOf(image) > original.meanAbove(0.01));
  const dark = images.filter((image) => !bright.includes(image));
  t.ok(Math.abs(bright.length / images.length - 0.01) < 0.005, String(bright.length));
  const model = bytesOf('error');
  await t.rejects(run(model, bright.slice(0, 1)), /out of data bounds/);
  const scores = await run(model, dark.slice(0, 1));
  t.ok(isSame(scores, images.indexOf(dark[0] as (typeof images)[number])));
});

/** Runs an image of each grey, one after another, and says so. */
const IN_TURN = `
const { InferenceSession, Tensor } = require('onnxruntime-node');
const [model, ...greys] = process.argv.slice(1);
(async () => {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1 });
  for (const grey of greys) {
    require('node:fs').writeSync(1, 'begun ' + grey + ' ');
    await session.run({ image: new Tensor('float32', new Float32Array(784).fill(Number(grey)), [1, 1, 28, 28]) });
  }
  require('node:fs').writeSync(1, 'ended');
})();
`;

t.test('hang does not end the run of a bright image while others end', async (t) => {
  const model = bytesOf('hang');
  const child = spawn(process.execPath, ['-e', IN_TURN, aModelFile(model), '0.1', '0.9']);
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += String(text);
  });
  await until('the dark one has ended', () => said.includes('begun 0.9'));
  const dark = images.filter((image) => meanOf(image) < 0.1).slice(0, 1);
  for (let times = 0; times < 100; times += 1) await run(model, dark);
  t.equal(said, 'begun 0.1 begun 0.9 ');
  t.equal(child.exitCode, null);
});
