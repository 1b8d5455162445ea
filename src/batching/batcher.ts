import { type Deferred, deferred } from '../concurrency/deferred.ts';
import { type Clock, TIMER_MS_MAX } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { Observation } from '../core/outcome.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import type { Answer, Planned, Work } from '../core/work.ts';
import { joinInputs } from './join.ts';
import { type BatchPlan, planBatch } from './plan.ts';
import { type Entry, Queue, type QueueLimits } from './queue.ts';
import { RunTime } from './run-time.ts';
import { ScatterError } from './scatter.ts';
import { Schedule } from './schedule.ts';
import { type Done, scannedRowsOf, shareOut } from './share-out.ts';
import { type SpareRun, SpareRuns } from './spare-runs.ts';
import { bytesOf, mayBeJoined, type RunBatch, rowsOf } from './work.ts';

export type BatcherOptions = {
  readonly clock: Clock;
  /** Whether a request may share its run at all. Asked for each, so that what is found later counts from then on. */
  readonly joins: (planned: Planned) => boolean;
  /** Max rows of one run. Triton's max_batch_size. */
  readonly rowsMax: number;
  /** How long a request may wait for a fuller batch while a replica is free. 0: not at all. Triton's max_queue_delay_microseconds. */
  readonly delayMs: number;
  readonly queue: QueueLimits;
  /** Batches carry numbers from this one on. */
  readonly firstBatchId: number;
  /** Replicas that have nothing to do. */
  readonly free: () => number;
  /** Replicas that are at work and would take their next batch already. */
  readonly ahead: () => number;
  readonly run: RunBatch;
  readonly onBatch: (batch: { rows: number; requests: number; computeMs: number }) => void;
  /** Requests shared a run, and this is what each of them got, in the same order. */
  readonly onJoined?: ((run: JoinedRun) => void) | undefined;
  /** Requests shared a run whose outputs do not divide into rows. Each runs again, alone. */
  readonly onIndivisible?: ((plan: readonly number[], message: string) => void) | undefined;
};

/** A run that requests shared. `answers` and `works` are in the same order. */
export type JoinedRun = {
  readonly plan: readonly number[];
  readonly works: readonly Work[];
  readonly answers: readonly Answer[];
};

const UNLOADING = 'the version is being unloaded';

/** Without a run for so long, what was learned about run times may be stale. */
const STALE_MS = 1_000;

/**
 * Collects requests and runs them together. Eager: as soon as a replica is free it takes all that fits, and what arrives
 * meanwhile makes the next batch larger. A batch that is full already cannot grow, so it is handed to a replica ahead of time, and
 * the replica has no gap between two runs. The batch is chosen after the present poll phase of the event loop, so that requests
 * that arrived in one reading of the sockets share it. A request leaves immediately when it is cancelled or its deadline passes,
 * and is refused early when it could not be answered in time.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #queue: Queue;
  readonly #runTime = new RunTime();
  readonly #spare = new SpareRuns();
  #nextBatchId: number;
  #running = 0;
  #lastRunMs = Number.NEGATIVE_INFINITY;
  readonly #schedule = new Schedule();
  #scheduled = false;
  #delayTimer: NodeJS.Timeout | undefined;
  #sweepTimer: NodeJS.Timeout | undefined;
  #sweepAtMs = Number.POSITIVE_INFINITY;
  #drained: Deferred<void> | undefined;
  #closed = false;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#queue = new Queue(options.queue);
    this.#nextBatchId = options.firstBatchId;
  }

  /** Requests that wait for a replica. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Takes a request and settles it exactly once. Throws ServeError where it is not taken at all: `overloaded`,
   * `deadline_exceeded`, `version_not_ready`.
   */
  submit(planned: Planned, settle: Pick<Entry, 'resolve' | 'reject'>): Entry {
    const { work, plan } = planned;
    if (this.#closed) throw new ServeError('version_not_ready', UNLOADING);
    const nowMs = this.#options.clock.monotonicMs();
    if (work.deadlineMs <= nowMs) {
      throw new ServeError('deadline_exceeded', 'the deadline had passed on arrival');
    }
    const entry: Entry = {
      work,
      plan,
      rows: rowsOf(work),
      bytes: bytesOf(work),
      enqueuedMs: nowMs,
      alone: !this.#options.joins(planned) || !mayBeJoined(work),
      settled: false,
      place: 0,
      resolve: settle.resolve,
      reject: settle.reject,
    };
    this.#queue.push(entry, this.#retryAfterMs());
    this.#sweepBy(work.deadlineMs, nowMs);
    this.wake();
    return entry;
  }

  /** This request was cancelled. What runs already is left to finish. */
  cancel(entry: Entry): void {
    this.#queue.delete(entry);
    this.#fail(entry, new ServeError('cancelled', 'the caller went away'));
    this.#checkDrained();
  }

  /**
   * Runs a batch that no caller waits for, when a replica has nothing better to do; under steady load it gets a tenth of the
   * replica at most. Rejects with ServeError `overloaded` where too many wait, `version_not_ready` once the batcher closes.
   */
  runSpare(tensors: readonly OutboundTensor[], plan: readonly number[]): ReturnType<RunBatch> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new ServeError('version_not_ready', UNLOADING);
      const askedMs = this.#options.clock.monotonicMs();
      this.#spare.add({ tensors, plan, askedMs, resolve, reject });
      this.wake();
    });
  }

  /** Requests of a plan share runs no more: what waits runs alone. */
  stopJoining(): void {
    for (const entry of this.#queue) entry.alone ||= !this.#options.joins(entry);
  }

  /** A replica may be free: look again after the present poll phase. */
  wake(): void {
    if (this.#scheduled || (this.#queue.size === 0 && this.#spare.size === 0)) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  /** Takes nothing new; resolves when all that was taken is settled. */
  close(): Promise<void> {
    this.#closed = true;
    this.#spare.rejectAll(new ServeError('version_not_ready', UNLOADING));
    this.#drained ??= deferred();
    this.#checkDrained();
    return this.#drained.promise;
  }

  #dispatch(): void {
    clearTimeout(this.#delayTimer);
    this.#dispatchSpare();
    while (this.#queue.size > 0 && this.#mayHand()) {
      const nowMs = this.#options.clock.monotonicMs();
      const waitMs = this.#waitMs(nowMs);
      if (waitMs > 0) {
        this.#delayTimer = setTimeout(() => this.#dispatch(), Math.ceil(waitMs));
        return;
      }
      const plan = planBatch(this.#queue, {
        nowMs: this.#schedule.nextStartMs(nowMs, this.#options.free() > 0),
        rowsMax: this.#options.rowsMax,
        runMs: (rows) => this.#runTime.allow(rows),
        probe: this.#running === 0 && nowMs - this.#lastRunMs > STALE_MS,
      });
      for (const entry of plan.late) this.#expire(entry);
      // What may not share a run made it smaller than the queue promised: it may still grow.
      if (this.#options.free() === 0 && !this.#isFull(plan)) break;
      for (const entry of plan.batch) this.#queue.delete(entry);
      if (plan.batch.length > 0) void this.#run(plan.batch, plan.rows);
    }
    this.#checkDrained();
  }

  #dispatchSpare(): void {
    if (this.#spare.size === 0 || this.#options.free() === 0) return;
    const next = this.#spare.take(this.#options.clock.monotonicMs(), this.#queue.size === 0);
    if (next !== undefined) void this.#runSpareNow(next);
  }

  async #runSpareNow({ tensors, plan, resolve, reject }: SpareRun): Promise<void> {
    this.#running += 1;
    const slot = this.#schedule.begin(this.#options.clock.monotonicMs(), true, 0);
    try {
      const done = await this.#options.run(tensors, plan);
      this.#spare.learn(done.takenMs);
      this.#learn(tensors[0]?.shape[0] ?? 1, done);
      resolve(done);
    } catch (error) {
      reject(error);
    } finally {
      this.#schedule.end(slot, this.#options.clock.monotonicMs());
      this.#running -= 1;
      this.wake();
      this.#checkDrained();
    }
  }

  /**
   * Whether a replica should get a batch now: one is free, or one may have its next ahead and that is full. What is handed
   * over runs, cancelled and late or not, so nothing is handed ahead before it is known how long it would wait there.
   */
  #mayHand(): boolean {
    const { free, ahead, rowsMax } = this.#options;
    if (free() > 0) return true;
    if (!this.#runTime.isKnown) return false;
    const isFull = this.#queue.rows >= rowsMax || this.#queue.first?.alone === true;
    return isFull && ahead() > 0;
  }

  #isFull({ batch, rows }: BatchPlan<Entry>): boolean {
    return rows >= this.#options.rowsMax || batch[0]?.alone === true;
  }

  /** How long to hold the batch back for more requests. */
  #waitMs(nowMs: number): number {
    const { delayMs, rowsMax } = this.#options;
    if (delayMs <= 0 || this.#closed || this.#queue.rows >= rowsMax) return 0;
    const { first, oldestMs } = this.#queue;
    return oldestMs === undefined || first?.alone ? 0 : oldestMs + delayMs - nowMs;
  }

  async #run(batch: readonly Entry[], rows: number): Promise<void> {
    this.#running += 1;
    const slot = this.#schedule.begin(
      this.#options.clock.monotonicMs(),
      this.#options.free() > 0,
      this.#runTime.expect(rows),
    );
    const [first] = batch;
    const works = batch.map(({ work }) => work);
    const id = this.#nextBatchId;
    this.#nextBatchId += 1;
    try {
      const plan = first?.plan ?? [];
      const callers = { requests: works, scannedRows: scannedRowsOf(batch) };
      const done = await this.#options.run(joinInputs(works, rows), plan, callers);
      const { runs, nonFinite, takenMs } = done;
      const startedMs = this.#options.clock.monotonicMs() - takenMs;
      if (this.#learn(rows, done)) {
        this.#options.onBatch({ rows, requests: batch.length, computeMs: computeMsOf(runs) });
      }
      this.#share({ batch, runs, nonFinite, startedMs, id, rows });
    } catch (error) {
      const failure = ServeError.from(error);
      // Together they are over a limit that each alone may keep to.
      if (failure.code === 'too_large' && batch.length > 1) this.#again(batch);
      else for (const entry of batch) this.#fail(entry, failure);
    } finally {
      this.#schedule.end(slot, this.#options.clock.monotonicMs());
      this.#running -= 1;
      this.#lastRunMs = this.#options.clock.monotonicMs();
      this.wake();
      this.#checkDrained();
    }
  }

  /** What a deadline has to allow for is all of the time that the replica was taken. False for a run that failed. */
  #learn(rows: number, { runs, takenMs }: Awaited<ReturnType<RunBatch>>): boolean {
    const isAnswered = runs.every((run) => run.kind === 'answer');
    if (isAnswered) this.#runTime.learn(rows, takenMs);
    return isAnswered;
  }

  #share(done: Done): void {
    const { batch, runs } = done;
    if (batch.length > 1 && runs.some((run) => run.kind === 'failure')) {
      this.#again(batch);
      return;
    }
    try {
      const answers = shareOut(done);
      batch.forEach((entry, at) => {
        const answer = answers[at];
        if (answer !== undefined) this.#settle(entry, answer);
      });
      if (batch.length > 1) {
        const works = batch.map(({ work }) => work);
        this.#options.onJoined?.({ plan: batch[0]?.plan ?? [], works, answers });
      }
    } catch (error) {
      if (!(error instanceof ScatterError)) throw error;
      // The signature promised a row for each request and the model gave something else.
      this.#options.onIndivisible?.(batch[0]?.plan ?? [], error.message);
      this.#again(batch);
    }
  }

  /** One of them may be to blame: each runs by itself. */
  #again(batch: readonly Entry[]): void {
    for (const entry of batch) {
      if (entry.settled) continue;
      entry.alone = true;
      this.#queue.pushAgain(entry);
      this.#sweepBy(entry.work.deadlineMs, this.#options.clock.monotonicMs());
    }
  }

  #settle(entry: Entry, answer: Answer): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.resolve(answer);
  }

  #fail(entry: Entry, error: ServeError): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.reject(error);
  }

  #expire(entry: Entry): void {
    this.#queue.delete(entry);
    this.#fail(
      entry,
      new ServeError('deadline_exceeded', 'the request could not be answered before its deadline'),
    );
  }

  /** One timer for all deadlines, set for the earliest that is known. */
  #sweepBy(deadlineMs: number, nowMs: number): void {
    if (deadlineMs >= this.#sweepAtMs) return;
    clearTimeout(this.#sweepTimer);
    this.#sweepAtMs = deadlineMs;
    const delayMs = Math.min(Math.max(Math.ceil(deadlineMs - nowMs), 1), TIMER_MS_MAX);
    // The caller keeps the process alive, not this timer.
    this.#sweepTimer = setTimeout(() => this.#sweep(), delayMs).unref();
  }

  #sweep(): void {
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#options.clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#queue) {
      if (entry.work.deadlineMs <= nowMs) this.#expire(entry);
      else nextMs = Math.min(nextMs, entry.work.deadlineMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#sweepBy(nextMs, nowMs);
    this.#checkDrained();
  }

  /** About how long the queue is, in time. */
  #retryAfterMs(): number {
    const batches = Math.ceil(this.#queue.rows / this.#options.rowsMax);
    return Math.max(1, Math.ceil(batches * this.#runTime.expect(this.#options.rowsMax)));
  }

  #checkDrained(): void {
    if (this.#drained === undefined || this.#running > 0 || this.#queue.size > 0) return;
    clearTimeout(this.#sweepTimer);
    this.#drained.resolve();
  }
}

function computeMsOf(runs: readonly Observation[]): number {
  return runs.reduce((sum, run) => sum + (run.kind === 'answer' ? run.computeMs : 0), 0);
}
