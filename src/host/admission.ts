import { RunTime } from '../batching/run-time.ts';
import { bytesOf } from '../batching/work.ts';
import { ServeError } from '../core/errors.ts';
import type { Work } from '../core/work.ts';
import type { ExecutorSetting } from './executor.ts';

/** One at work and one ahead. */
const BATCHES_PER_REPLICA = 2;

/** Decides whether a supervisor takes one more request. Throws ServeError `overloaded` where it does not. */
export class Admission {
  readonly #setting: Pick<ExecutorSetting, 'queue' | 'replicas' | 'batch'>;
  readonly #runTime = new RunTime();

  constructor(setting: Pick<ExecutorSetting, 'queue' | 'replicas' | 'batch'>) {
    this.#setting = setting;
  }

  /** Learns from a finished run how long runs take. */
  learn({ rows, computeMs }: { rows: number; computeMs: number }): void {
    this.#runTime.learn(rows, computeMs);
  }

  /** For a request that would be sent to a process that has `sent` others and has not yet read `backlogBytes`. */
  checkSent(work: Work, { sent, backlogBytes }: { sent: number; backlogBytes: number }): void {
    const { requestsMax, bytesMax } = this.#setting.queue;
    if (sent >= this.#sentMax) {
      throw new ServeError(
        'overloaded',
        `the queue is full: at most ${requestsMax} requests may wait`,
        { retryAfterMs: this.#retryAfterMs(sent) },
      );
    }
    if (backlogBytes > bytesMax) {
      throw new ServeError(
        'overloaded',
        `request ${work.id}: over ${bytesMax} bytes are on their way to the process`,
      );
    }
  }

  /** For a request that would be held during a restart. The held have the bounds of the queue they would otherwise wait in. */
  checkHeld(work: Work, held: { readonly size: number; readonly bytes: number }): void {
    const { requestsMax, bytesMax } = this.#setting.queue;
    if (held.size >= requestsMax || bytesOf(work) + held.bytes > bytesMax) {
      throw new ServeError('overloaded', 'its process is being restarted and the queue is full');
    }
  }

  /**
   * What the process can have at most: its queue full, and each replica with one full batch at work and the next ahead. The
   * process would refuse one more, and sending it there and back would take the cores from the requests being answered.
   */
  get #sentMax(): number {
    const { queue, replicas, batch } = this.#setting;
    return queue.requestsMax + BATCHES_PER_REPLICA * replicas * batch.rowsMax;
  }

  /** Milliseconds that the requests the process has will take it, estimated; at least 1. */
  #retryAfterMs(sent: number): number {
    const { replicas, batch } = this.#setting;
    const batches = Math.ceil(sent / batch.rowsMax);
    const ms = (batches * this.#runTime.expect(batch.rowsMax)) / replicas;
    return Math.max(1, Math.ceil(ms));
  }
}
