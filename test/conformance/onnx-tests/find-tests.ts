import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readModel } from '../../../src/repository/onnx-writer.ts';

/** One test of ONNX's: a model, and folders with what goes in and what should come out. */
export type OnnxTest = {
  /** As a server knows the model: `onnx_node_test_add`. */
  readonly model: string;
  readonly folder: string;
  readonly dataSets: readonly string[];
};

/** What is read from the model file itself. */
export type OnnxOutlook = {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Operators whose answers are random, by name: nothing can be compared. */
  readonly random: readonly string[];
};

const MODEL_FILE = 'model.onnx';
const DATA_SET = /^test_data_set_\d+$/;

/** All folders below `root` that hold a model and data sets, in alphabetical order. */
export async function findTests(root: string): Promise<readonly OnnxTest[]> {
  const files = await readdir(root, { recursive: true });
  const folders = files
    .filter((file) => basename(file) === MODEL_FILE)
    .map(dirname)
    .sort();
  const tests = folders.map(async (folder) => {
    const entries = await readdir(join(root, folder));
    return {
      model: `onnx_${folder.replaceAll(/[^A-Za-z0-9]+/g, '_')}`,
      folder: join(root, folder),
      dataSets: entries.filter((name) => DATA_SET.test(name)).sort(),
    };
  });
  return (await Promise.all(tests)).filter(({ dataSets }) => dataSets.length > 0);
}

/** So many of the tests, chosen by the seed alone. */
export function sampleTests(
  tests: readonly OnnxTest[],
  { count, seed }: { readonly count: number; readonly seed: string },
): readonly OnnxTest[] {
  const key = ({ model }: OnnxTest) =>
    createHash('sha256').update(`${seed}:${model}`).digest('hex');
  const ranked = tests.map((test) => ({ test, rank: key(test) }));
  ranked.sort((left, right) => (left.rank < right.rank ? -1 : 1));
  return ranked.slice(0, count).map(({ test }) => test);
}

/** Puts a test's model into a repository, never to be batched: what is compared is one request's answer. */
export async function writeTestModel(
  repository: string,
  { model, folder }: OnnxTest,
): Promise<void> {
  const to = join(repository, model);
  await mkdir(join(to, '1'), { recursive: true });
  await cp(join(folder, MODEL_FILE), join(to, '1', MODEL_FILE));
  const config = `name: "${model}"\nplatform: "onnxruntime_onnx"\nmax_batch_size: 0\n`;
  await writeFile(join(to, 'config.pbtxt'), config);
}

const RANDOM = /^(Bernoulli|Multinomial|Random.*)$/;

export async function readOutlook({ folder }: OnnxTest): Promise<OnnxOutlook> {
  const { graph } = readModel(await readFile(join(folder, MODEL_FILE)));
  const weights = new Set(graph.initializer.map(({ name }) => name));
  return {
    inputs: graph.input.map(({ name }) => name).filter((name) => !weights.has(name)),
    outputs: graph.output.map(({ name }) => name),
    random: graph.node.map(({ op_type: op }) => op).filter((op) => RANDOM.test(op)),
  };
}
