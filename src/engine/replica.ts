import { Piscina } from 'piscina';
import { TIMER_MS_MAX } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { Observation } from '../core/outcome.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import { decodeFrame } from '../frame/decode-frame.ts';
import { encodeBuffer } from '../frame/encode-frame.ts';
import type { Source } from '../runtime/runtime.ts';
import type { WorkerReport } from './worker.ts';

/**
 * One worker thread with all sources open. A pool of exactly one thread each, so that a thread that is stuck can be left behind
 * and another take its place. A busy thread is never terminated: with native code in it that ends the whole process.
 */
export class Replica {
  readonly #pool: Piscina;

  constructor(sources: readonly Source[], onError: (error: unknown) => void) {
    this.#pool = new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      name: 'work',
      minThreads: 1,
      maxThreads: 1,
      // One runs and one is ahead; the worker itself takes them one after the other.
      concurrentTasksPerWorker: 2,
      // Waiting on a shared counter would keep the thread from its timers and messages.
      atomics: 'disabled',
      recordTiming: false,
      // After this the pool would terminate a busy thread, which aborts the process.
      closeTimeout: TIMER_MS_MAX,
      workerData: sources,
      // Neither the environment nor the options of the process around it are a worker's business.
      env: {},
      execArgv: [],
    });
    this.#pool.on('error', onError);
  }

  /** Resolves when the thread has loaded and warmed up everything. */
  async describe(): Promise<WorkerReport> {
    return this.#pool.run(null, { name: 'describe' }) as Promise<WorkerReport>;
  }

  /** Runs one batch. Rejects only if the thread died. Tensors are copied on the way. */
  async run(
    tensors: readonly OutboundTensor[],
    plan: readonly number[],
  ): Promise<readonly Observation[]> {
    const job = encodeBuffer({ kind: 'job', plan, tensors });
    const bytes: unknown = await this.#pool.run(job, { transferList: [job.buffer] });
    const result = decodeFrame(bytes as Uint8Array);
    if (result.kind !== 'result') {
      throw new ServeError('internal', `worker: expected a result frame, found ${result.kind}`);
    }
    return result.runs;
  }

  /** Ends the thread. The caller has made sure that it is idle. */
  async close(): Promise<void> {
    await this.#pool.close();
  }
}
