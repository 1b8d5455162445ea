import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  byteLengthOf,
  type Dtype,
  formatShape,
  type Signature,
  type TensorSpec,
} from '../core/tensor.ts';
import type { WarmupContent, WarmupInput, WarmupSample } from '../core/warmup.ts';
import { checkInside } from './inside-of.ts';
import { quoted } from './quoted.ts';
import type { TritonModelConfig, TritonWarmup, TritonWarmupInput } from './triton-config.ts';
import { dtypeOfType } from './triton-tensors.ts';

/** Where the files of warm-ups lie in a model's folder. */
const WARMUP_FOLDER = 'warmup';

/** Runs of one warm-up: a version is not ready before they are over. */
const RUNS_MAX = 10_000;
/** Of one input. */
const BYTES_MAX = 1024 ** 3;

/** A warm-up as a configuration has it. */
export type WarmupPlan = {
  readonly name: string;
  readonly count: number;
  readonly rows: number;
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: Dtype | undefined;
    readonly dims: readonly number[];
    /** A file's path is still relative to the folder of warm-ups. */
    readonly content: WarmupContent;
  }[];
};

/** Throws an Error for a warm-up that makes no sense for any model. */
export function warmupPlans({
  model_warmup: warmups = [],
}: TritonModelConfig): readonly WarmupPlan[] {
  return warmups.map(planOf);
}

function planOf(
  { name, count, batch_size: rows, inputs = {} }: TritonWarmup,
  place: number,
): WarmupPlan {
  if (!name) throw new Error(`model_warmup ${place + 1}: expected a name, found none`);
  if ((count ?? 0) > RUNS_MAX) {
    throw new Error(
      `model_warmup ${quoted(name)}: expected a count of at most ${RUNS_MAX}, found ${count}`,
    );
  }
  const entries = Object.entries(inputs);
  if (entries.length === 0)
    throw new Error(`model_warmup ${quoted(name)}: expected inputs, found none`);
  return {
    name,
    count: count || 1,
    rows: rows || 1,
    inputs: entries.map(([input, said], index) => {
      const where = `model_warmup ${quoted(name)} input ${quoted(input)}`;
      const seed = place * 1_000 + index;
      return {
        name: input,
        dtype: dtypeOfType(said.data_type, where),
        dims: dimsOf(said, where),
        content: contentOf(said, where, seed),
      };
    }),
  };
}

function dimsOf({ dims = [] }: TritonWarmupInput, where: string): readonly number[] {
  if (dims.every((size) => size >= 0)) return dims;
  throw new Error(`${where}: expected dimensions of 0 or more, found ${formatShape(dims)}`);
}

function contentOf(said: TritonWarmupInput, where: string, seed: number): WarmupContent {
  if (said.input_data_file) {
    checkInside(where, said.input_data_file);
    return { kind: 'file', file: said.input_data_file };
  }
  if (said.random_data) return { kind: 'random', seed };
  if (said.zero_data) return { kind: 'zeros' };
  throw new Error(`${where}: expected zero_data, random_data or input_data_file, found none`);
}

/**
 * Warm-ups for one version, their inputs held against its signature.
 *
 * @throws Error that names the warm-up and its input, what was expected and what was found.
 */
export async function warmupSamples(
  plans: readonly WarmupPlan[],
  signature: Signature,
  modelFolder: string,
): Promise<readonly WarmupSample[]> {
  const samples: WarmupSample[] = [];
  for (const plan of plans) {
    const inputs: WarmupInput[] = [];
    for (const spec of signature.inputs) {
      const where = `model_warmup ${quoted(plan.name)} input ${quoted(spec.name)}`;
      const input = inputFor(spec, plan, where);
      if (input) inputs.push(await located(input, where, modelFolder));
    }
    const stranger = plan.inputs.find(({ name }) => !inputs.some((each) => each.name === name));
    if (stranger) {
      throw new Error(
        `model_warmup ${quoted(plan.name)}: the model has no input ${quoted(stranger.name)}`,
      );
    }
    samples.push({ name: plan.name, count: plan.count, inputs });
  }
  return samples;
}

/** Undefined for one that is not given and need not be. */
function inputFor(spec: TensorSpec, plan: WarmupPlan, where: string): WarmupInput | undefined {
  const { name, shape, dtype, optional } = spec;
  const said = plan.inputs.find((each) => each.name === name);
  if (!said && optional) return undefined;
  if (!said) throw new Error(`${where}: expected it to be given, found none`);
  if ((said.dtype ?? dtype) !== dtype) {
    throw new Error(`${where}: expected ${dtype}, found ${said.dtype}`);
  }
  const whole = wholeShape(said.dims, shape, plan.rows);
  if (!whole) {
    const found = formatShape(said.dims);
    throw new Error(`${where}: expected dimensions that fit ${formatShape(shape)}, found ${found}`);
  }
  const bytes = byteLengthOf(dtype, whole) ?? 0;
  if (bytes > BYTES_MAX) {
    throw new Error(`${where}: expected at most ${BYTES_MAX} bytes, found ${bytes}`);
  }
  return { name, dtype, shape: whole, content: said.content };
}

/** The dimensions as they are if they fit, else below the rows; undefined where neither fits. */
function wholeShape(
  dims: readonly number[],
  spec: readonly number[],
  rows: number,
): readonly number[] | undefined {
  return [dims, [rows, ...dims]].find(
    (shape) =>
      shape.length === spec.length &&
      shape.every((size, axis) => spec[axis] === -1 || spec[axis] === size),
  );
}

/** The input with its file's absolute path, if it has one; the file must hold as many bytes as the tensor. */
async function located(
  input: WarmupInput,
  where: string,
  modelFolder: string,
): Promise<WarmupInput> {
  if (input.content.kind !== 'file') return input;
  const named = `${WARMUP_FOLDER}/${input.content.file}`;
  const file = join(modelFolder, WARMUP_FOLDER, input.content.file);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new Error(`${where}: expected a file ${named}, found none`);
  const expected = byteLengthOf(input.dtype, input.shape);
  if (expected !== undefined && found.size !== expected) {
    throw new Error(
      `${where}: expected ${expected} bytes in ${named} for ${input.dtype} ${formatShape(input.shape)}, found ${found.size}`,
    );
  }
  return { ...input, content: { kind: 'file', file } };
}
