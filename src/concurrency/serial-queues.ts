import { SerialQueue } from './serial-queue.ts';

/** One thing at a time for each model, in the order in which it was asked for. */
export class Turns {
  readonly #queues = new Map<string, SerialQueue>();

  /** True while nothing is done to the model and nothing waits to be. */
  isIdle(model: string): boolean {
    return this.#queues.get(model)?.isIdle() ?? true;
  }

  /** Does the work once what was asked for before has ended; resolves or rejects as it does. */
  run<Result>(model: string, work: () => Promise<Result>): Promise<Result> {
    const queue = this.#queues.get(model) ?? new SerialQueue();
    this.#queues.set(model, queue);
    return queue.run(work);
  }

  /** Resolves when everything that was asked for so far has ended. */
  async drained(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.drained()));
  }
}
