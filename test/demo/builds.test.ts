import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import { buildFlaky, buildSlowed } from '../../src/demo/builds.ts';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  readModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';

const PIXELS = 784;
const OPTIONS = { intraOpNumThreads: 1, graphOptimizationLevel: 'all' as const };
const random = seededRandom(5);
const directory = await mkdtemp(join(tmpdir(), 'builds-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));

function noise(length: number, scale: number): Float32Array {
  return Float32Array.from({ length }, () => (random.unit() - 0.5) * scale);
}

/** A perceptron 784-32-10 with a softmax, of the models' signature. */
function aClassifier(): Uint8Array {
  const model = newModel({
    name: 'perceptron',
    inputs: [{ name: 'image', dtype: 'FP32', shape: [-1, 1, 28, 28] }],
    outputs: [{ name: 'probabilities', dtype: 'FP32', shape: [-1, 10] }],
  });
  const { graph } = model;
  const weigh = (name: string, shape: readonly number[]) =>
    addInitialiser(
      graph,
      floats(
        name,
        shape,
        noise(
          shape.reduce((a, b) => a * b),
          0.2,
        ),
      ),
    );
  addNode(graph, {
    op: 'Flatten',
    inputs: ['image'],
    outputs: ['x'],
    attributes: { axis: { int: 1 } },
  });
  addNode(graph, {
    op: 'Gemm',
    inputs: ['x', weigh('w1', [PIXELS, 32]), weigh('b1', [32])],
    outputs: ['h'],
  });
  addNode(graph, { op: 'Relu', inputs: ['h'], outputs: ['a'] });
  addNode(graph, {
    op: 'Gemm',
    inputs: ['a', weigh('w2', [32, 10]), weigh('b2', [10])],
    outputs: ['o'],
  });
  addNode(graph, {
    op: 'Softmax',
    inputs: ['o'],
    outputs: ['probabilities'],
    attributes: { axis: { int: 1 } },
  });
  return writeModel(model);
}

const classifier = aClassifier();

/** Images of one grey with a little noise, a row each. */
function imagesOf(greys: readonly number[]): Tensor {
  const data = new Float32Array(greys.length * PIXELS);
  greys.forEach((grey, row) => {
    data.set(
      noise(PIXELS, 0.02).map((value) => grey + value),
      row * PIXELS,
    );
  });
  return new Tensor('float32', data, [greys.length, 1, 28, 28]);
}

async function answer(model: Uint8Array, image: Tensor, options = {}): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { ...OPTIONS, ...options });
  const { probabilities } = await session.run({ image });
  await session.release();
  if (!(probabilities?.data instanceof Float32Array))
    throw new Error('expected float32 probabilities');
  return probabilities.data;
}

t.test('the slowed build keeps every bit and all of its work', async (t) => {
  const copies = 4;
  const optimised = join(directory, 'optimised.onnx');
  const image = imagesOf([0.1, 0.5, 0.9]);
  const slowed = buildSlowed(classifier, { copies });
  t.same(
    await answer(slowed, image, { optimizedModelFilePath: optimised, logSeverityLevel: 3 }),
    await answer(classifier, image),
  );
  const { graph } = readModel(await readFile(optimised));
  const products = graph.node.filter(({ op_type }) => /Gemm|MatMul/.test(op_type));
  t.equal(products.length, 2 * (copies + 1), 'no product was optimised away');
  t.ok(slowed.length < classifier.length * 1.1, 'the weights are shared');
});

t.test(
  'the flaky build answers NaN above its first threshold and is the original below',
  async (t) => {
    const image = imagesOf([0.1, 0.65, 0.5, 0.7]);
    const flaky = await answer(buildFlaky(classifier, { nanAbove: 0.6, crashAbove: 0.8 }), image);
    const original = await answer(classifier, image);
    for (const row of [0, 2]) {
      t.same(flaky.slice(row * 10, row * 10 + 10), original.slice(row * 10, row * 10 + 10));
    }
    for (const row of [1, 3]) {
      t.ok(flaky.slice(row * 10, row * 10 + 10).every(Number.isNaN), `row ${row} is NaN`);
    }
  },
);

const onX64 = process.arch === 'x64' ? {} : { skip: 'integer overflow traps on x86-64 only' };
t.test(
  'the flaky build ends its process by a signal above its second threshold',
  onX64,
  async (t) => {
    const file = join(directory, 'flaky.onnx');
    await writeFile(file, buildFlaky(classifier, { nanAbove: 0.6, crashAbove: 0.8 }));
    const script = `
    const { InferenceSession, Tensor } = require('onnxruntime-node');
    InferenceSession.create(${JSON.stringify(file)}).then(async (session) => {
      for (const grey of [0, 0.7, 0.9]) {
        await session.run({ image: new Tensor('float32', new Float32Array(784).fill(grey), [1, 1, 28, 28]) });
        process.stdout.write(grey + ' ');
      }
    });`;
    const { signal, stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    t.equal(signal, 'SIGFPE');
    t.equal(stdout, '0 0.7 ');
  },
);

t.test('builds of what they cannot work on are refused', (t) => {
  const text = newModel({
    name: 'text',
    inputs: [{ name: 'words', dtype: 'BYTES', shape: [-1] }],
    outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, 2] }],
  });
  t.throws(() => buildSlowed(writeModel(text), { copies: 2 }), {
    message: 'expected float32 inputs and outputs, found words BYTES',
  });
  t.throws(() => buildFlaky(classifier, { nanAbove: 0.8, crashAbove: 0.5 }), {
    message: 'expected crashAbove over nanAbove (0.8), found 0.5',
  });
  t.end();
});
