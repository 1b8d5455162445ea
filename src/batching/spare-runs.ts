import { ServeError } from '../core/errors.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import type { RunBatch } from './work.ts';

/** A run that no caller waits for. */
export type SpareRun = {
  readonly tensors: readonly OutboundTensor[];
  readonly plan: readonly number[];
  readonly askedMs: number;
  readonly resolve: (done: Awaited<ReturnType<RunBatch>>) => void;
  readonly reject: (error: unknown) => void;
};

/** Spare runs that wait at one time. */
const WAITING_MAX = 4;
/** Under load a spare run waits so many times as long as the last one took: it gets a tenth of a replica at most. */
const WAIT_RUNS = 10;
/** And at least this long. */
const WAIT_MS_MIN = 100;

/** Runs for which the replicas have time only now and then, in the order in which they were asked for. */
export class SpareRuns {
  readonly #waiting: SpareRun[] = [];
  #lastMs = 0;

  get size(): number {
    return this.#waiting.length;
  }

  /** Throws ServeError `overloaded` where too many wait. */
  add(run: SpareRun): void {
    if (this.#waiting.length >= WAITING_MAX) {
      throw new ServeError('overloaded', `at most ${WAITING_MAX} spare runs may wait`);
    }
    this.#waiting.push(run);
  }

  /** The next run that may begin now, on a free replica; undefined: requests go first. */
  take(nowMs: number, isIdle: boolean): SpareRun | undefined {
    const [next] = this.#waiting;
    if (next === undefined) return undefined;
    const waitMs = Math.max(WAIT_MS_MIN, WAIT_RUNS * this.#lastMs);
    if (!isIdle && nowMs - next.askedMs < waitMs) return undefined;
    return this.#waiting.shift();
  }

  /** How long the last one took the replica. */
  learn(takenMs: number): void {
    this.#lastMs = takenMs;
  }

  rejectAll(error: ServeError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
