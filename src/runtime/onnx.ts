import { readFile } from 'node:fs/promises';
import { InferenceSession, type Tensor as OrtTensor } from 'onnxruntime-node';
import { messageOf } from '../core/errors.ts';
import { type DefaultInput, spliced } from '../core/model-edits.ts';
import type { ProviderReport } from '../core/provider.ts';
import type { Signature, Tensor, TensorSpec } from '../core/tensor.ts';
import { dtypeOfOrt, fromOrt, toOrt } from './onnx-tensor.ts';
import type { OpenModel, Runtime, Source } from './runtime.ts';

/**
 * ONNX files through onnxruntime-node. `run` is synchronous inside and blocks its thread, so it belongs into a worker thread;
 * a run cannot be cancelled, and a thread that is terminated in mid-run aborts the process.
 */
export const onnxRuntime: Runtime = { open };

/** Names that the binding knows. It takes an unknown one for a typing error only if no other is left, so we look ourselves. */
const KNOWN_PROVIDERS = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'dml', 'coreml', 'qnn'] as const;

async function open(source: Source): Promise<OpenModel> {
  checkProviders(source.providers);
  const { session, provider } = await createSession(source);
  const defaults = (source.edits?.defaults ?? []).map(tensorOf);
  const signature = readSignature(session, new Set(defaults.map(({ name }) => name)));
  return {
    signature,
    concurrency: 1,
    provider,
    run: (inputs) => run({ session, signature, defaults }, inputs),
    close: () => session.release(),
  };
}

function checkProviders(providers: readonly string[]): void {
  for (const name of providers) {
    if (!KNOWN_PROVIDERS.some((known) => known === name)) {
      throw new Error(
        `execution provider: expected one of ${KNOWN_PROVIDERS.join(', ')}, found '${name}'`,
      );
    }
  }
}

type Created = { session: InferenceSession; provider: ProviderReport };

/** Tries the providers in order; without `strict`, the processor comes last of all. */
async function createSession(source: Source): Promise<Created> {
  const requested = source.providers.length > 0 ? source.providers : ['cpu'];
  const tried = source.strict || requested.includes('cpu') ? requested : [...requested, 'cpu'];
  const refusals: string[] = [];
  for (const actual of source.strict ? tried.slice(0, 1) : tried) {
    try {
      const session = await sessionOf(source, sessionOptions(source, actual));
      const fallbackReason = refusals.length > 0 ? refusals.join('; ') : undefined;
      return { session, provider: { requested, actual, fallbackReason } };
    } catch (error) {
      refusals.push(`${actual}: ${clearText(messageOf(error))}`);
    }
  }
  throw new Error(`cannot load ${source.file} (${refusals.join('; ')})${hintFor(tried)}`);
}

async function sessionOf(
  { file, edits }: Source,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  if (edits === undefined) return await InferenceSession.create(file, options);
  return await InferenceSession.create(spliced(await readFile(file), edits.splices), options);
}

/** Most often there is no device, or its libraries are missing; the runtime says so in words of its own. */
function hintFor(tried: readonly string[]): string {
  const device = tried.find((name) => name !== 'cpu');
  if (device === undefined || tried.includes('cpu')) return '';
  const asked = device === 'cuda' ? 'cuda, which KIND_GPU in config.pbtxt asks for,' : device;
  return (
    `. Expected a device and libraries for ${asked} on this machine, found none that work. To run it on the processor: ` +
    'KIND_CPU in config.pbtxt, or `execution.providers: [cpu]` in understudy.yaml; `execution.strict: false` does so wherever the device is missing'
  );
}

function sessionOptions(source: Source, provider: string): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: source.intraOpThreads,
    interOpNumThreads: 1,
    // What goes wrong is thrown; the log would only repeat it on the standard error.
    logSeverityLevel: 4,
    // A spinning pool burns a whole core between runs and starves the other replicas.
    extra: {
      session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } },
    },
  };
}

function clearText(message: string): string {
  if (message.includes('Unsupported data type: 16')) {
    return 'the model has a bfloat16 input or output, which this runtime cannot exchange';
  }
  return message;
}

function readSignature(session: InferenceSession, optional: ReadonlySet<string>): Signature {
  return {
    inputs: session.inputMetadata.map((metadata) => ({
      ...specOf(metadata),
      ...(optional.has(metadata.name) && { optional: true as const }),
    })),
    outputs: session.outputMetadata.map(specOf),
  };
}

function specOf(metadata: InferenceSession.ValueMetadata): TensorSpec {
  if (!metadata.isTensor) {
    throw new Error(`'${metadata.name}' is a sequence or a map; only tensors are served`);
  }
  const dtype = dtypeOfOrt(metadata.type);
  if (dtype === undefined) {
    throw new Error(`'${metadata.name}' is of type ${metadata.type}, which is not served`);
  }
  const shape = metadata.shape.map((dimension) =>
    typeof dimension === 'number' && dimension >= 0 ? dimension : -1,
  );
  return { name: metadata.name, dtype, shape };
}

function tensorOf({ base64, ...tensor }: DefaultInput): Tensor {
  // Of its own memory, so that it is aligned for any type.
  return { ...tensor, data: Uint8Array.from(Buffer.from(base64, 'base64')) };
}

type Opened = {
  readonly session: InferenceSession;
  readonly signature: Signature;
  readonly defaults: readonly Tensor[];
};

async function run(
  { session, signature, defaults }: Opened,
  inputs: readonly Tensor[],
): Promise<Tensor[]> {
  const feeds: Record<string, OrtTensor> = {};
  for (const input of defaults) feeds[input.name] = toOrt(input);
  for (const input of inputs) feeds[input.name] = toOrt(input);
  const results = await session.run(feeds);
  return signature.outputs.map(({ name }) => {
    const result = results[name];
    if (result === undefined) throw new Error(`the model gave no output '${name}'`);
    return fromOrt(name, result);
  });
}
