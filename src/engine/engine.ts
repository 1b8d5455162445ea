import { type Deferred, deferred } from '../concurrency/deferred.ts';
import type { Clock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import type { Source } from '../runtime/runtime.ts';
import { type BatchRun, type Callers, Replica } from './replica.ts';
import type { WorkerReport } from './worker.ts';

export type EngineOptions = {
  /** Opened by every replica; a plan names them by their place in this list. */
  readonly sources: readonly Source[];
  readonly replicas: number;
  readonly clock: Clock;
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
  /** Replicas that have nothing to do. */
  readonly free: () => number;
  /** Replicas that are at work and could be handed their next batch already. */
  readonly ahead: () => number;
  /**
   * Runs the plan's sources in order on one batch, on a free replica or else behind the batch of another. `callers` are the requests
   * that it is run for; absent: no caller waits. Rejects with a
   * ServeError: `host_lost` where the thread died, `runtime_failed` where the run took too long, `too_large` where the batch does
   * not fit a frame.
   */
  readonly run: (
    tensors: readonly OutboundTensor[],
    plan: readonly number[],
    callers?: Callers,
  ) => Promise<BatchRun>;
  /** Waits for runs in flight, except those given up, and ends the threads. Takes no new batch from here on. */
  readonly close: () => Promise<void>;
};

const NO_CALLERS: Callers = { requests: [], scannedRows: [] };
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 10_000;

/** Resolves with all replicas loaded and warm; rejects with the reason that the first of them gave. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const pool = new ReplicaPool(options);
  const models = await pool.open();
  return {
    models,
    free: () => pool.count(0),
    ahead: () => pool.count(1),
    run: (tensors, plan, callers = NO_CALLERS) => pool.run(tensors, plan, callers),
    close: () => pool.close(),
  };
}

/** Keeps the wanted number of replicas; lost and stuck ones are replaced. */
class ReplicaPool {
  readonly #options: EngineOptions;
  /** Those that are loaded, and take batches. */
  readonly #replicas = new Set<Replica>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  /** Threads still in a run that was given up. Bounded, since each holds a model's memory. */
  #stuck = 0;
  #failuresInRow = 0;
  #closed = false;
  #quiet: Deferred<void> | undefined;

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

  /** Replicas that have so many batches in their hands. */
  count(load: number): number {
    if (this.#closed) return 0;
    let count = 0;
    for (const replica of this.#replicas) if (replica.load === load) count += 1;
    return count;
  }

  run(
    tensors: readonly OutboundTensor[],
    plan: readonly number[],
    callers: Callers,
  ): Promise<BatchRun> {
    const replica = this.#closed ? undefined : (this.#replicaWith(0) ?? this.#replicaWith(1));
    if (replica !== undefined) return replica.run(tensors, plan, callers);
    return Promise.reject(new ServeError('internal', 'no replica can take a batch'));
  }

  /** Waits for the batches in flight. A thread in a run that was given up ends itself when it can. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    if (this.#isBusy()) {
      this.#quiet ??= deferred();
      await this.#quiet.promise;
    }
    const replicas = [...this.#replicas];
    this.#replicas.clear();
    await Promise.all(replicas.map((replica) => replica.close()));
  }

  /** Of several, the one whose present run began first: it is most likely to end first. */
  #replicaWith(load: number): Replica | undefined {
    let found: Replica | undefined;
    for (const replica of this.#replicas) {
      const isEarlier = found === undefined || replica.sinceMs < found.sinceMs;
      if (replica.load === load && isEarlier) found = replica;
    }
    return found;
  }

  #isBusy(): boolean {
    return [...this.#replicas].some((replica) => replica.load > 0);
  }

  async #boot(): Promise<WorkerReport> {
    const replica = this.#create();
    try {
      const report = await replica.describe();
      this.#failuresInRow = 0;
      if (this.#closed) await replica.close();
      else this.#replicas.add(replica);
      return report;
    } catch (error) {
      await replica.close();
      throw error;
    }
  }

  #create(): Replica {
    const { sources, clock, runMsMax, onFree, onInternalError } = this.#options;
    const replica = new Replica({
      sources,
      clock,
      runMsMax,
      onDone: () => {
        this.#checkQuiet();
        onFree();
      },
      onLost: () => {
        this.#remove(replica);
        this.#end(replica);
        this.#restart(this.#backoffMs());
      },
      onStuck: () => this.#giveUp(replica),
      onRecovered: () => this.#retire(replica),
      onError: (error) => onInternalError('worker thread', error),
    });
    return replica;
  }

  #remove(replica: Replica): void {
    this.#replicas.delete(replica);
    this.#checkQuiet();
  }

  #checkQuiet(): void {
    if (this.#closed && !this.#isBusy()) this.#quiet?.resolve();
  }

  #giveUp(replica: Replica): void {
    const { runMsMax, replicas, onStuck } = this.#options;
    this.#stuck += 1;
    this.#remove(replica);
    // Once as many threads are stuck as there should be replicas, another would most likely join them.
    if (this.#stuck <= replicas) this.#restart(0);
    onStuck(runMsMax);
  }

  /** A run that was given up has ended after all. */
  #retire(replica: Replica): void {
    const wasFull = this.#stuck > this.#options.replicas;
    this.#stuck -= 1;
    if (wasFull) this.#restart(0);
    this.#end(replica);
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
