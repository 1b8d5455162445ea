import { dirname, resolve, sep } from 'node:path';
import { threadId, workerData } from 'node:worker_threads';
import { move } from 'piscina';
import { SerialQueue } from '../concurrency/serial-queue.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Observation } from '../core/outcome.ts';
import type { ProviderReport } from '../core/provider.ts';
import type { Signature } from '../core/tensor.ts';
import { decodeFrame } from '../frame/decode-frame.ts';
import type { JobFrame } from '../frame/frame.ts';
import { chooseRuntime } from '../runtime/choose-runtime.ts';
import type { OpenModel, Source } from '../runtime/runtime.ts';
import { encodeResult } from './encode-result.ts';
import { findNonFinite } from './find-non-finite.ts';
import { reshapedModel } from './reshaped-model.ts';
import { shapeHint } from './shape-hint.ts';
import { warmUp } from './warm-up.ts';

/** What a worker thread is started with. */
export type WorkerSetting = {
  readonly sources: readonly Source[];
  /** Shared memory: which of the sources is running. A thread that hangs cannot say so. */
  readonly running: Int32Array;
};

/**
 * What runs inside a worker thread. It opens all of its sources once, warms each up, and then runs batches: the plan of a job
 * names sources in order, and its result has one observation for each.
 */
export type WorkerReport = {
  readonly threadId: number;
  readonly models: readonly { readonly signature: Signature; readonly provider: ProviderReport }[];
};

// Begun on start, awaited by each call: a failure to load must be an answer, not the death of the thread.
const { sources, running } = workerData as WorkerSetting;
const opening = openAll(sources);
opening.catch(() => undefined);

/** Resolves when all sources are loaded and warm; rejects with what could not be loaded and why. */
export async function describe(): Promise<WorkerReport> {
  const models = await opening;
  return { threadId, models: models.map(({ signature, provider }) => ({ signature, provider })) };
}

/** A job sent ahead must not run, nor be timed, in parallel with the one before it. */
const jobs = new SerialQueue();

/** Takes and gives a frame in an ArrayBuffer of its own. */
export function work(job: Uint8Array): Promise<ReturnType<typeof move>> {
  return jobs.run(() => run(job));
}

async function run(job: Uint8Array): Promise<ReturnType<typeof move>> {
  const models = await opening;
  const frame = decodeFrame(job, systemClock);
  if (frame.kind !== 'job') throw new Error(`expected a job frame, found ${frame.kind}`);
  const runs: Observation[] = [];
  for (const index of frame.plan) {
    Atomics.store(running, 0, index);
    runs.push(await timedRun(models[index], frame));
  }
  return move(encodeResult(runs, findNonFinite(runs, frame.scannedRows)));
}

async function openAll(sources: readonly Source[]): Promise<readonly OpenModel[]> {
  const models: OpenModel[] = [];
  for (const source of sources) models.push(await openOne(source));
  return models;
}

async function openOne(source: Source): Promise<OpenModel> {
  try {
    const runtime = await chooseRuntime(source);
    const model = reshapedModel(await runtime.open(source), source.reshapes ?? []);
    await warmUp(model, source.warmups ?? []);
    return model;
  } catch (error) {
    const reason = fromRepository(messageOf(error), source);
    throw new Error(`${source.model} version ${source.version}: ${reason}`);
  }
}

/** Callers read this too: paths begin in the repository, and do not show where on the machine that is. */
function fromRepository(message: string, { file }: Source): string {
  const repository = resolve(dirname(file), '../..');
  return repository === sep ? message : message.replaceAll(repository + sep, '');
}

async function timedRun(
  model: OpenModel | undefined,
  { tensors, requests }: JobFrame,
): Promise<Observation> {
  if (model === undefined) {
    return {
      kind: 'failure',
      code: 'internal',
      message: 'the plan names a source that is not open',
    };
  }
  const startedMs = systemClock.monotonicMs();
  try {
    const outputs = await model.run(tensors, requests);
    return { kind: 'answer', outputs, computeMs: systemClock.monotonicMs() - startedMs };
  } catch (error) {
    const message = `${messageOf(error)}${shapeHint(tensors)}`;
    return { kind: 'failure', code: 'runtime_failed', message };
  }
}
