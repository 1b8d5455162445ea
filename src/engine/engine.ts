import { messageOf, ServeError } from '../core/errors.ts';
import type { OutboundTensor } from '../core/frame-bytes.ts';
import type { Observation } from '../core/outcome.ts';
import type { Source } from '../runtime/runtime.ts';
import { Replica } from './replica.ts';
import type { WorkerReport } from './worker.ts';

export type EngineOptions = {
  /** Opened by every replica; a plan names them by their place in this list. */
  readonly sources: readonly Source[];
  readonly replicas: number;
  /** A run longer than this is given up, and its thread replaced. */
  readonly runMsMax: number;
  /** A replica can take a batch. */
  readonly onFree: () => void;
  /** A run was given up; its thread is still in it. */
  readonly onStuck: (runMs: number) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

export type Engine = {
  readonly models: WorkerReport['models'];
  /** Replicas that could take a batch now. */
  readonly free: () => number;
  /**
   * Runs the plan's sources in order on one batch, on a free replica. One observation for each. Rejects with a ServeError:
   * `host_lost` where the thread died, `runtime_failed` where the run took too long.
   */
  readonly run: (
    tensors: readonly OutboundTensor[],
    plan: readonly number[],
  ) => Promise<readonly Observation[]>;
  /** Waits for runs in flight, except those given up, and ends the threads. Takes no new batch from here on. */
  readonly close: () => Promise<void>;
};

const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 10_000;

/** Resolves with all replicas loaded and warm; rejects with the reason that the first of them gave. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const pool = new ReplicaPool(options);
  const models = await pool.open();
  return {
    models,
    free: () => pool.free(),
    run: (tensors, plan) => pool.run(tensors, plan),
    close: () => pool.close(),
  };
}

/** Keeps the wanted number of replicas: idle ones wait here, lost and stuck ones are replaced. */
class ReplicaPool {
  readonly #options: EngineOptions;
  readonly #idle: Replica[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  /** Threads still in a run that was given up. Bounded, since each holds a model's memory. */
  #stuck = 0;
  #running = 0;
  #failuresInRow = 0;
  #closed = false;
  #onQuiet: (() => void) | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  async open(): Promise<WorkerReport['models']> {
    const boots = Array.from({ length: this.#options.replicas }, () => this.#boot());
    const settled = await Promise.allSettled(boots);
    const reports = settled.flatMap((boot) => (boot.status === 'fulfilled' ? [boot.value] : []));
    const failed = settled.find((boot) => boot.status === 'rejected');
    const [first] = reports;
    if (failed !== undefined || first === undefined) {
      await this.close();
      throw failed?.reason ?? new Error('expected at least one replica, found 0');
    }
    return first.models;
  }

  free(): number {
    return this.#closed ? 0 : this.#idle.length;
  }

  run(
    tensors: readonly OutboundTensor[],
    plan: readonly number[],
  ): Promise<readonly Observation[]> {
    const replica = this.#closed ? undefined : this.#idle.pop();
    if (replica === undefined) {
      return Promise.reject(new ServeError('internal', 'no replica is free'));
    }
    this.#running += 1;
    return new Promise((resolve, reject) => {
      let givenUp = false;
      const timer = setTimeout(() => {
        givenUp = true;
        reject(this.#giveUp());
      }, this.#options.runMsMax);
      replica.run(tensors, plan).then(
        (runs) => {
          clearTimeout(timer);
          if (givenUp) return this.#retire(replica);
          this.#release(replica);
          resolve(runs);
          this.#options.onFree();
        },
        (error: unknown) => {
          clearTimeout(timer);
          if (givenUp) return this.#retire(replica);
          reject(this.#lose(replica, error));
        },
      );
    });
  }

  /** Waits for the runs that somebody waits for. A thread in a run that was given up ends itself when it can. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    await Promise.all(this.#idle.splice(0).map((replica) => replica.close()));
  }

  async #boot(): Promise<WorkerReport> {
    const { sources, onInternalError } = this.#options;
    const replica = new Replica(sources, (error) => onInternalError('worker thread', error));
    try {
      const report = await replica.describe();
      this.#failuresInRow = 0;
      if (this.#closed) await replica.close();
      else this.#idle.push(replica);
      return report;
    } catch (error) {
      await replica.close();
      throw error;
    }
  }

  #release(replica: Replica): void {
    this.#finish();
    if (this.#closed) this.#end(replica);
    else this.#idle.push(replica);
  }

  #finish(): void {
    this.#running -= 1;
    if (this.#running === 0) this.#onQuiet?.();
  }

  #giveUp(): ServeError {
    const { runMsMax, replicas, onStuck } = this.#options;
    this.#stuck += 1;
    this.#finish();
    // Once as many threads are stuck as there should be replicas, another would most likely join them.
    if (this.#stuck <= replicas) this.#restart(0);
    onStuck(runMsMax);
    return new ServeError('runtime_failed', `the run took longer than ${runMsMax} ms`);
  }

  /** A run that was given up has ended after all. */
  #retire(replica: Replica): void {
    const wasFull = this.#stuck > this.#options.replicas;
    this.#stuck -= 1;
    if (wasFull) this.#restart(0);
    this.#end(replica);
  }

  #lose(replica: Replica, error: unknown): ServeError {
    this.#finish();
    this.#end(replica);
    this.#restart(this.#backoffMs());
    return new ServeError('host_lost', `the worker thread died: ${messageOf(error)}`);
  }

  #end(replica: Replica): void {
    replica.close().catch((error: unknown) => {
      this.#options.onInternalError('close worker thread', error);
    });
  }

  #restart(delayMs: number): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#boot().then(this.#options.onFree, (error: unknown) => {
        this.#options.onInternalError('restart worker thread', error);
        this.#restart(this.#backoffMs());
      });
    }, delayMs);
    this.#restarts.add(timer);
  }

  #backoffMs(): number {
    const delayMs = BACKOFF_MS_MIN * 2 ** this.#failuresInRow;
    this.#failuresInRow += 1;
    return Math.min(delayMs, BACKOFF_MS_MAX);
  }
}
