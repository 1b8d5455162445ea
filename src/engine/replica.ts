import { Piscina } from 'piscina';
import { type Clock, TIMER_MS_MAX } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { Observation } from '../core/outcome.ts';
import { StuckRunError } from '../core/stuck-run.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import { decodeFrame } from '../frame/decode-frame.ts';
import { encodeBuffer } from '../frame/encode-frame.ts';
import type { JobFrame, NonFiniteHit, ResultFrame } from '../frame/frame.ts';
import type { Source } from '../runtime/runtime.ts';
import type { WorkerReport, WorkerSetting } from './worker.ts';

/** Whom a batch is run for, and whether their answers are looked through. */
export type Callers = Pick<JobFrame, 'requests' | 'scannedRows'>;

/** What came of one batch. */
export type BatchRun = {
  /** One observation for each source of the plan. */
  readonly runs: readonly Observation[];
  /** Where a NaN or an infinity was found, of the answers that were looked through. */
  readonly nonFinite: readonly NonFiniteHit[];
  /** How long the replica was taken by this batch and by no other, milliseconds. */
  readonly takenMs: number;
};

export type ReplicaOptions = {
  readonly sources: readonly Source[];
  readonly clock: Clock;
  /** A batch that runs longer than this makes the replica stuck. */
  readonly runMsMax: number;
  /** A batch has ended, and the thread is still good. */
  readonly onDone: () => void;
  /** The thread died with batches: none of them will be answered, and it is not to be used again. Called once. */
  readonly onLost: () => void;
  /** The batch that runs takes too long: the thread has been given up. Called once, and `onRecovered` may follow. */
  readonly onStuck: () => void;
  /** A thread that was given up has come to the end of all that it had. */
  readonly onRecovered: () => void;
  /** The thread failed outside any batch. */
  readonly onError: (error: unknown) => void;
};

type Batch = {
  readonly resolve: (run: BatchRun) => void;
  readonly reject: (error: ServeError) => void;
};

/**
 * One worker thread with all sources open, and the batches in its hands: the one that runs, and at most one ahead of time, so that
 * the thread need not wait for this one to hear of the end of a run and send the next. The thread takes them in order, so the
 * first is the one that runs.
 *
 * States: `good`; `lost` once the thread has died; `stuck` once a batch took too long. The last two fail everything in its hands,
 * and neither is left again. A stuck thread is left behind and never terminated: with native code in it that ends the process.
 */
export class Replica {
  readonly #options: ReplicaOptions;
  /** Of exactly one thread, so that another can take the place of one that is stuck. */
  readonly #pool: Piscina;
  readonly #running = new Int32Array(new SharedArrayBuffer(4));
  readonly #batches: Batch[] = [];
  #state: 'good' | 'lost' | 'stuck' = 'good';
  /** Of batches that the thread was given, those that it has not answered. */
  #unanswered = 0;
  #sinceMs = 0;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#pool = poolOfOne({ sources: options.sources, running: this.#running });
    this.#pool.on('error', options.onError);
  }

  /** Batches in its hands. */
  get load(): number {
    return this.#batches.length;
  }

  /** When the batch that runs began, or the last one did, on the clock of the options. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Resolves when the thread has loaded and warmed up everything. */
  async describe(): Promise<WorkerReport> {
    return this.#pool.run(null, { name: 'describe' }) as Promise<WorkerReport>;
  }

  /**
   * Takes a batch, of which the tensors are copied on the way. Rejects with a ServeError: `host_lost` where the thread died,
   * `runtime_failed` where the run took too long, `too_large` where the batch does not fit a frame.
   */
  run(
    tensors: readonly OutboundTensor[],
    plan: readonly number[],
    callers: Callers,
  ): Promise<BatchRun> {
    return new Promise((resolve, reject) => {
      // What cannot be sent is the fault of the batch, not of the thread.
      const frame = { kind: 'job', plan, ...callers, tensors } as const;
      const job = encodeBuffer(frame, this.#options.clock);
      this.#batches.push({ resolve, reject });
      this.#unanswered += 1;
      if (this.#batches.length === 1) this.#begin();
      this.#send(job).then(
        (result) => this.#answered(result),
        (error: unknown) => this.#died(error),
      );
    });
  }

  /** Ends the thread. The caller has made sure that it is idle. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Rejects only if the thread died. */
  async #send(job: Uint8Array<ArrayBuffer>): Promise<ResultFrame> {
    const bytes: unknown = await this.#pool.run(job, { transferList: [job.buffer] });
    const result = decodeFrame(bytes as Uint8Array, this.#options.clock);
    if (result.kind !== 'result') {
      throw new ServeError('internal', `worker: expected a result frame, found ${result.kind}`);
    }
    return result;
  }

  /** The first batch in its hands runs from here on. */
  #begin(): void {
    this.#sinceMs = this.#options.clock.monotonicMs();
    this.#watchdog = setTimeout(() => this.#giveUp(), this.#options.runMsMax);
  }

  #answered({ runs, nonFinite }: ResultFrame): void {
    this.#unanswered -= 1;
    if (this.#state === 'stuck') {
      if (this.#unanswered === 0) this.#options.onRecovered();
      return;
    }
    clearTimeout(this.#watchdog);
    const batch = this.#batches.shift();
    const takenMs = this.#options.clock.monotonicMs() - this.#sinceMs;
    if (this.#batches.length > 0) this.#begin();
    batch?.resolve({ runs, nonFinite, takenMs });
    this.#options.onDone();
  }

  #died(error: unknown): void {
    this.#unanswered -= 1;
    if (this.#state === 'stuck' && this.#unanswered === 0) this.#options.onRecovered();
    if (this.#state !== 'good') return;
    clearTimeout(this.#watchdog);
    this.#state = 'lost';
    const lost = new ServeError('host_lost', `worker thread exited: ${messageOf(error)}`);
    this.#failAll(() => lost);
    this.#options.onLost();
  }

  #giveUp(): void {
    this.#state = 'stuck';
    const { runMsMax, onStuck } = this.#options;
    const source = Atomics.load(this.#running, 0);
    const slow = new StuckRunError(`the run took longer than ${runMsMax} ms`, source);
    const behind = new ServeError('host_lost', 'the run before it took too long');
    this.#failAll((place) => (place === 0 ? slow : behind));
    onStuck();
  }

  #failAll(errorAt: (place: number) => ServeError): void {
    this.#batches.splice(0).forEach((batch, place) => {
      batch.reject(errorAt(place));
    });
  }
}

function poolOfOne(setting: WorkerSetting): Piscina {
  return new Piscina({
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
    workerData: setting,
    // Neither the environment nor the options of the process around it are a worker's business.
    env: {},
    execArgv: [],
  });
}
