import path from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import type { Signature, Tensor, TensorSpec } from '../../src/core/tensor.ts';
import { dtypeOfOrt, fromOrt, toOrt } from '../../src/runtime/onnx-tensor.ts';
import { type Change, type Manifest, readRequests } from './manifest.ts';

/** All that one version answers, and what it takes and gives. */
export type Answers = {
  readonly signature: Signature;
  /** By request. */
  readonly outputs: readonly (readonly Tensor[])[];
};

/** Runs every request alone, as it would come from a client. */
export async function answersOf(
  folder: string,
  manifest: Manifest,
  version: Pick<Change, 'file' | 'set' | 'threads' | 'optimisation'>,
): Promise<Answers> {
  const { file = 'stable.onnx', set = 'stable', threads = 1, optimisation = 'all' } = version;
  const session = await InferenceSession.create(path.join(folder, file), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: optimisation,
    logSeverityLevel: 4,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  try {
    const outputs: (readonly Tensor[])[] = [];
    for (const inputs of await readRequests(folder, manifest, set)) {
      const feeds = Object.fromEntries(inputs.map((input) => [input.name, toOrt(input)]));
      const found = await session.run(feeds);
      outputs.push(session.outputNames.map((name) => tensorOf(name, found)));
    }
    const signature = {
      inputs: session.inputMetadata.map(specOf),
      outputs: session.outputMetadata.map(specOf),
    };
    return { signature, outputs };
  } finally {
    await session.release();
  }
}

function tensorOf(name: string, found: InferenceSession.ReturnType): Tensor {
  const tensor = found[name];
  if (tensor === undefined) throw new Error(`expected output ${name}, found none`);
  return fromOrt(name, tensor);
}

function specOf(metadata: InferenceSession.ValueMetadata): TensorSpec {
  const dtype = metadata.isTensor ? dtypeOfOrt(metadata.type) : undefined;
  if (!metadata.isTensor || dtype === undefined)
    throw new Error(`expected ${metadata.name} to be a tensor that is served, found another type`);
  const shape = metadata.shape.map((size) => (typeof size === 'number' ? size : -1));
  return { name: metadata.name, dtype, shape };
}
