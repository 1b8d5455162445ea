import type { Clock } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { Observation } from '../core/outcome.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import type { Replica } from './replica.ts';

/** What came of one batch. */
export type BatchRun = {
  /** One observation for each source of the plan. */
  readonly runs: readonly Observation[];
  /** How long the replica was taken by this batch and by no other, milliseconds. */
  readonly takenMs: number;
};

export type PostOptions = {
  readonly clock: Clock;
  readonly runMsMax: number;
  /** A batch is through, and the thread is still good. */
  readonly onDone: () => void;
  /** The thread died: nothing it had will be answered, and it is not to be used again. Told once. */
  readonly onLost: () => void;
  /** The batch that runs takes too long: the thread has been given up. Told once, and `onRecovered` may follow. */
  readonly onStuck: () => void;
  /** A thread that was given up has come to the end of all that it had. */
  readonly onRecovered: () => void;
};

type Job = {
  readonly resolve: (run: BatchRun) => void;
  readonly reject: (error: ServeError) => void;
};

/**
 * A replica and the batches in its hands: the one that runs, and at most one ahead of time, so that the thread need not wait
 * for this one to hear of the end of a run and send the next. The thread takes them in order, so the first is the one that runs.
 *
 * `good` until the thread dies (`lost`) or takes too long over a batch (`stuck`); both fail everything in its hands.
 */
export class Post {
  readonly replica: Replica;
  readonly #options: PostOptions;
  readonly #jobs: Job[] = [];
  #state: 'good' | 'lost' | 'stuck' = 'good';
  #unanswered = 0;
  #sinceMs = 0;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(replica: Replica, options: PostOptions) {
    this.replica = replica;
    this.#options = options;
  }

  /** Batches in its hands. */
  get load(): number {
    return this.#jobs.length;
  }

  /** When the batch that runs began, or the last one did. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Rejects with a ServeError: `host_lost` where the thread died, `runtime_failed` where the run took too long. */
  take(tensors: readonly OutboundTensor[], plan: readonly number[]): Promise<BatchRun> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ resolve, reject });
      this.#unanswered += 1;
      if (this.#jobs.length === 1) this.#begin();
      this.replica.run(tensors, plan).then(
        (runs) => this.#answered(runs),
        (error: unknown) => this.#died(error),
      );
    });
  }

  /** The first batch in its hands runs from here on. */
  #begin(): void {
    this.#sinceMs = this.#options.clock.monotonicMs();
    this.#watchdog = setTimeout(() => this.#giveUp(), this.#options.runMsMax);
  }

  #answered(runs: readonly Observation[]): void {
    this.#unanswered -= 1;
    if (this.#state === 'stuck') {
      if (this.#unanswered === 0) this.#options.onRecovered();
      return;
    }
    clearTimeout(this.#watchdog);
    const job = this.#jobs.shift();
    const takenMs = this.#options.clock.monotonicMs() - this.#sinceMs;
    if (this.#jobs.length > 0) this.#begin();
    job?.resolve({ runs, takenMs });
    this.#options.onDone();
  }

  #died(error: unknown): void {
    this.#unanswered -= 1;
    if (this.#state === 'stuck' && this.#unanswered === 0) this.#options.onRecovered();
    if (this.#state !== 'good') return;
    clearTimeout(this.#watchdog);
    this.#state = 'lost';
    const lost = new ServeError('host_lost', `the worker thread died: ${messageOf(error)}`);
    this.#failAll(() => lost);
    this.#options.onLost();
  }

  #giveUp(): void {
    this.#state = 'stuck';
    const { runMsMax, onStuck } = this.#options;
    const slow = new ServeError('runtime_failed', `the run took longer than ${runMsMax} ms`);
    const behind = new ServeError('host_lost', 'the run before it took too long');
    this.#failAll((place) => (place === 0 ? slow : behind));
    onStuck();
  }

  #failAll(errorAt: (place: number) => ServeError): void {
    this.#jobs.splice(0).forEach((job, place) => {
      job.reject(errorAt(place));
    });
  }
}
