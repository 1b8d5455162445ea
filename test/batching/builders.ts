import { Batcher, type BatcherOptions } from '../../src/batching/batcher.ts';
import type { RunBatch } from '../../src/batching/work.ts';
import { HandClock } from '../../src/core/clock.ts';
import type { Observation } from '../../src/core/outcome.ts';
import type { OutboundTensor, Tensor } from '../../src/core/tensor.ts';
import type { Answer, Work } from '../../src/core/work.ts';
import { aTensor, valuesOf } from '../support/a-tensor.ts';

export function aWork(values: readonly number[] = [1], given: Partial<Work> = {}): Work {
  const inputs = [aTensor(values, { shape: [values.length, 1] })];
  return {
    id: 'w',
    traceparent: undefined,
    caller: undefined,
    deadlineMs: 60_000,
    priority: 0,
    outputs: undefined,
    inputs,
    ...given,
  };
}

export function whole(tensor: OutboundTensor): Tensor {
  const { data } = tensor;
  return {
    ...tensor,
    data: data instanceof Uint8Array ? data : Uint8Array.from(Buffer.concat(data)),
  };
}

/** y = 2x, row by row; the value 13 fails its whole batch. */
export function doubled(...[tensors, plan]: Parameters<RunBatch>): Observation[] {
  return plan.map(() => {
    const [input] = tensors.map(whole);
    const values = valuesOf(input);
    if (values.includes(13))
      return { kind: 'failure', code: 'runtime_failed', message: 'bad luck' };
    const shape = input?.shape ?? [];
    const output = aTensor(
      values.map((value) => value * 2),
      { name: 'y', shape },
    );
    return { kind: 'answer', outputs: [output], computeMs: 1 };
  });
}

/** A run that has already ended. */
export const doubledAtOnce: RunBatch = async (...of) => ({ runs: doubled(...of), takenMs: 1 });

/** A batcher with one replica, whose runs end when the test says so. */
export function aBatcher(given: Partial<BatcherOptions> = {}) {
  const runs: { rows: number; end: () => void }[] = [];
  let busy = false;
  const run: RunBatch = (tensors, plan) =>
    new Promise((resolve) => {
      busy = true;
      const end = (): void => {
        busy = false;
        resolve({ runs: doubled(tensors, plan), takenMs: 1 });
      };
      runs.push({ rows: tensors[0]?.shape[0] ?? 0, end });
    });
  const batcher = new Batcher({
    clock: new HandClock(),
    joins: () => true,
    rowsMax: 8,
    delayMs: 0,
    queue: { requestsMax: 100, bytesMax: 10_000 },
    firstBatchId: 0,
    free: () => (busy ? 0 : 1),
    ahead: () => 0,
    run,
    onBatch: () => undefined,
    ...given,
  });
  const ask = (work: Work) => {
    let cancel = (): void => undefined;
    const answer = new Promise<Answer>((resolve, reject) => {
      const entry = batcher.submit({ work, plan: [0] }, { resolve, reject });
      cancel = () => batcher.cancel(entry);
    });
    answer.catch(() => undefined);
    return { answer, cancel };
  };
  return { batcher, runs, ask };
}

/** A batcher that knows how long runs take, and whose replica takes one batch ahead. */
export async function aTaughtBatcher(given: Partial<BatcherOptions>) {
  const taught = aBatcher({ ahead: () => (taught.runs.length < 2 ? 1 : 0), ...given });
  for (let run = 0; run < 5; run += 1) {
    const { answer } = taught.ask(aWork([run]));
    await nextTurn();
    taught.runs.pop()?.end();
    await answer;
  }
  return taught;
}

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function valuesFrom(answer: Promise<Answer>): Promise<number[]> {
  const [run] = (await answer).runs;
  if (run?.kind !== 'answer') throw new Error(run?.message ?? 'no run');
  return valuesOf(run.outputs[0]);
}
