import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { programFolder } from '../../src/config/program.ts';
import { seededRandom } from '../../src/core/random.ts';
import { imageTensorBytes, readImages } from '../../src/demo/images.ts';
import { stackedModel, tinyModel } from '../models.ts';

/** A model that all peers serve, with the rows that are sent and what they must be answered with. */
export type BenchedModel = {
  readonly name: string;
  readonly title: string;
  readonly file: string;
  readonly input: string;
  readonly output: string;
  /** Without the batch. */
  readonly rowShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly rows: readonly Float32Array[];
  readonly expected: readonly Float32Array[];
  /** What the 99th percentile of the latency must stay within. */
  readonly p99MsMax: number;
};

const ROWS = 64;
const TINY_COLUMNS = 16;
const STACKED_COLUMNS = 512;
const STACKED_LAYERS = 192;
const IMAGE_SHAPE = [1, 28, 28];

type Plan = {
  readonly title: string;
  readonly rowShape: readonly number[];
  readonly p99MsMax: number;
  readonly model: () => Promise<Uint8Array>;
  readonly rows: () => Promise<readonly Float32Array[]>;
};

const PLANS: Readonly<Record<string, Plan>> = {
  tiny: {
    title: 'One addition on 16 floats: what is measured is the server',
    rowShape: [TINY_COLUMNS],
    p99MsMax: 25,
    model: async () => tinyModel(TINY_COLUMNS),
    rows: async () => randomRows(TINY_COLUMNS),
  },
  fashion: {
    title: 'The shipped model `fashion`, version 1, on real images of 28 x 28 floats',
    rowShape: IMAGE_SHAPE,
    p99MsMax: 50,
    model: () => readFile(join(programFolder, 'models', 'fashion', '1', 'model.onnx')),
    rows: async () => {
      const images = await readImages(join(programFolder, 'models', '_fashion-mnist'));
      return images.slice(0, ROWS).map((image) => {
        return new Float32Array(Uint8Array.from(imageTensorBytes(image)).buffer);
      });
    },
  },
  stacked: {
    title: `${STACKED_LAYERS} products with a matrix of ${STACKED_COLUMNS} x ${STACKED_COLUMNS}: a run of milliseconds, all arithmetic`,
    rowShape: [STACKED_COLUMNS],
    p99MsMax: 50,
    model: async () => stackedModel(STACKED_COLUMNS, STACKED_LAYERS),
    rows: async () => randomRows(STACKED_COLUMNS),
  },
};

export const MODEL_NAMES = Object.keys(PLANS);

/** Writes the model into the folder, and asks the ONNX runtime itself what its answers are. */
export async function benchedModel(name: string, folder: string): Promise<BenchedModel> {
  const plan = PLANS[name];
  if (plan === undefined) {
    throw new Error(`expected a model (${MODEL_NAMES.join(', ')}), found '${name}'`);
  }
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.onnx`);
  await writeFile(file, await plan.model());
  const rows = await plan.rows();
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  const [input = '', output = ''] = [...session.inputNames, ...session.outputNames];
  const expected: Float32Array[] = [];
  let outputShape: readonly number[] = [];
  for (const row of rows) {
    const answer = await session.run({
      [input]: new Tensor('float32', row, [1, ...plan.rowShape]),
    });
    const tensor = answer[output];
    if (!(tensor?.data instanceof Float32Array)) throw new Error(`expected floats from ${name}`);
    outputShape = tensor.dims.slice(1);
    expected.push(Float32Array.from(tensor.data));
  }
  await session.release();
  const { title, rowShape, p99MsMax } = plan;
  return { name, title, file, input, output, rowShape, outputShape, rows, expected, p99MsMax };
}

function randomRows(columns: number): readonly Float32Array[] {
  const random = seededRandom(1);
  return Array.from({ length: ROWS }, () =>
    Float32Array.from({ length: columns }, () => random.unit()),
  );
}
