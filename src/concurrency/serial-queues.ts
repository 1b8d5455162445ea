import { deferred } from './deferred.ts';
import { SerialQueue } from './serial-queue.ts';

export type HoldOptions = {
  /** How long to wait until all keys are free, milliseconds. */
  readonly waitMsMax: number;
  /** The error where they are not. */
  readonly late: () => Error;
};

/** A serial queue for each key. A key with no task running or waiting takes no memory, so that made-up keys cannot fill it. */
export class SerialQueues {
  readonly #queues = new Map<string, SerialQueue>();

  /** True while no task of the key runs or waits. */
  isIdle(key: string): boolean {
    return !this.#queues.has(key);
  }

  /** Runs the task once all earlier ones of this key have ended; resolves or rejects as it does. */
  run<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
    const queue = this.#queues.get(key) ?? new SerialQueue();
    this.#queues.set(key, queue);
    return queue.run(task).finally(() => {
      if (queue.isIdle() && this.#queues.get(key) === queue) this.#queues.delete(key);
    });
  }

  /**
   * Runs the task while it holds the queues of several keys. Rejects with what `late` makes, the task not begun, where they are not
   * all free in time. Queues are taken in the order of their keys, so that two that hold some of the same cannot block each other.
   */
  async holdAll<Result>(
    keys: readonly string[],
    { waitMsMax, late }: HoldOptions,
    task: () => Promise<Result>,
  ): Promise<Result> {
    const held = deferred<void>();
    const done = deferred<void>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      done.resolve();
      held.reject(late());
    }, waitMsMax);
    const inOrder = [...new Set(keys)].sort();
    const take = async (at: number): Promise<void> => {
      const key = inOrder[at];
      if (isLate) return;
      if (key !== undefined) return await this.run(key, () => take(at + 1));
      held.resolve();
      await done.promise;
    };
    void take(0);
    try {
      await held.promise;
      clearTimeout(timer);
      return await task();
    } finally {
      done.resolve();
    }
  }

  /** Resolves when every task given so far has ended. */
  async drained(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.drained()));
  }
}
