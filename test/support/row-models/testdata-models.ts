import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TensorSpec } from '../../../src/core/tensor.ts';
import { readOnnxSummary } from '../../../src/repository/onnx-file.ts';
import type { OnnxModel, OnnxValueInfo } from '../../../src/repository/onnx-schema.ts';
import { readModel, writeModel } from '../../../src/repository/onnx-writer.ts';
import { findTests, type OnnxTest } from '../../conformance/onnx-tests/find-tests.ts';
import { readTensorFile } from '../../conformance/onnx-tests/tensor-file.ts';
import type { KitTensor } from '../../conformance/wire/tensor.ts';

/** Where Debian's libonnx-testdata puts ONNX's models of single operators. */
const DATA = '/usr/share/libonnx-testdata/data/node';

/** Why there are none; undefined: they are there. */
export const TESTDATA_MISSING = existsSync(DATA)
  ? undefined
  : `no ${DATA}: apt-get install libonnx-testdata`;

/** One of ONNX's models of an operator, with any number of rows where it had a fixed one. */
export type TestdataModel = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly inputs: readonly TensorSpec[];
  /** What ONNX sends it, in the order of the inputs. */
  readonly example: readonly KitTensor[];
};

/** Those end the process that loads them with free rows. */
const CRASHING = /_batchnorm_\w*training_mode$/;

/**
 * ONNX's models of operators that take and give tensors of at least one dimension, the first of each rewritten to one free
 * symbol, as if they held rows. Whether a runtime still loads them is not known. Empty where the package is missing.
 */
export async function testdataModels(): Promise<readonly TestdataModel[]> {
  if (TESTDATA_MISSING !== undefined) return [];
  const tests = (await findTests(DATA)).filter(({ model }) => !CRASHING.test(model));
  const models: TestdataModel[] = [];
  for (const test of tests) {
    const made = await rewritten(test);
    if (made !== undefined) models.push(made);
  }
  return models;
}

/** Undefined where there is nothing to rewrite, or nothing that could be sent. */
async function rewritten({
  model: name,
  folder,
  dataSets,
}: OnnxTest): Promise<TestdataModel | undefined> {
  const model = readModel(await readFile(join(folder, 'model.onnx')));
  const bytes = freeRows(model);
  if (bytes === undefined) return undefined;
  try {
    const { inputs } = readOnnxSummary(bytes).signature;
    const set = join(folder, dataSets[0] ?? '');
    const example = await Promise.all(
      inputs.map(async ({ name: input }, at) => ({
        ...readTensorFile(await readFile(join(set, `input_${at}.pb`))),
        name: input,
      })),
    );
    return { name, bytes, inputs, example };
  } catch {
    // A sequence, a type that the protocol lacks, or an input that is left out.
    return undefined;
  }
}

function freeRows(model: OnnxModel): Uint8Array | undefined {
  const { graph } = model;
  if (graph.initializer.length > 0 || graph.input.length === 0) return undefined;
  for (const value of [...graph.input, ...graph.output]) {
    if (!freeLeading(value)) return undefined;
  }
  return writeModel(model);
}

function freeLeading({ type }: OnnxValueInfo): boolean {
  const dimensions = type?.tensor_type?.shape?.dim ?? [];
  if (dimensions.length === 0) return false;
  dimensions[0] = { dim_param: 'N' };
  return true;
}
