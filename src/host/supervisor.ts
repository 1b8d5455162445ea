import type { Entry } from '../batching/queue.ts';
import { RunTime } from '../batching/run-time.ts';
import { bytesOf } from '../batching/work.ts';
import { InFlightTable } from '../concurrency/in-flight-table.ts';
import { TIMER_MS_MAX } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { Joining } from '../core/joining.ts';
import type { Life } from '../core/version.ts';
import type { Planned, Work } from '../core/work.ts';
import type { WorkerReport } from '../engine/worker.ts';
import type { Frame } from '../frame/frame.ts';
import type { Birth, Standing } from './birth.ts';
import { CrashLog } from './crash-log.ts';
import type { Desk, DeskListeners } from './desk.ts';
import { JoiningMemory } from './joining-memory.ts';
import { Lifeline } from './lives.ts';
import { boundedLoad } from './load-bounds.ts';
import { type ChildExit, HostProcess } from './process.ts';
import type { Crash, SupervisorOptions } from './supervision.ts';

type Settle = Pick<Entry, 'resolve' | 'reject'>;
type Pending = Planned & { readonly settle: Settle; sent: boolean };

/** Batch numbers of one process and the next must not meet. */
const BATCH_IDS_PER_PROCESS = 1_000_000_000;
/** One at work and one ahead. */
const BATCHES_PER_REPLICA = 2;
/** Beyond the last moment at which a healthy child has answered. */
const SILENCE_GRACE_MS = 2_000;
const UNLOADING = 'the version is being unloaded';

/**
 * A desk whose work is done in a child process, which is started again when it dies. What was in the child is rejected at once
 * as `host_lost` and never run again: a request may be what killed it, and an arm on trial must not hide its failures. What
 * arrives during a short restart is held, so that a crash costs only the requests that were in it.
 */
export class Supervisor implements Desk {
  readonly #options: SupervisorOptions;
  #birth: Birth;
  readonly #joinings: JoiningMemory;
  readonly #lifeline: Lifeline;
  readonly #crashes: CrashLog;
  readonly #pending = new InFlightTable<Pending>();
  readonly #runTime = new RunTime();
  /** The child that is ready to take requests. */
  #process: HostProcess | undefined;
  #opening: HostProcess | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #watchTimer: NodeJS.Timeout | undefined;
  #models: WorkerReport['models'] = [];
  #processes = 0;
  #sent = 0;
  #lastExit: ChildExit = { signal: undefined, exitCode: undefined };
  #closing: Promise<void> | undefined;
  #onQuiet: (() => void) | undefined;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#birth = options.birth;
    this.#crashes = new CrashLog(options.clock);
    this.#joinings = new JoiningMemory(options.setting.joinings, options.listeners.onJoining);
    this.#lifeline = new Lifeline(options.listeners.onLife);
  }

  /** Resolves when the child is ready; rejects with why it cannot be. Only a start that ended in a probe is tried again. */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const supervisor = new Supervisor(options);
    try {
      await supervisor.#launch().catch((error: unknown) => {
        if (supervisor.#joinings.abandonProbe()) return supervisor.#launch();
        throw error;
      });
    } catch (error) {
      supervisor.#lifeline.end(messageOf(error), options.signal);
      throw error;
    }
    return supervisor;
  }

  get models(): WorkerReport['models'] {
    return this.#models;
  }

  readonly joinings = (): readonly Joining[] => this.#joinings.joinings();

  get life(): Life {
    return this.#lifeline.life;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Bytes that the child has not yet taken. */
  get backlogBytes(): number {
    return this.#process?.backlogBytes ?? 0;
  }

  /** Requests taken and not yet settled. */
  get inFlight(): number {
    return this.#pending.size;
  }

  submit({ work, plan }: Planned, settle: Settle): () => void {
    this.#admit(work);
    const pending: Pending = { work, plan, settle, sent: false };
    const correlation = this.#pending.add(pending);
    const process = this.#taker();
    try {
      if (process !== undefined) this.#send(process, correlation, pending);
    } catch (error) {
      // Of what cannot be sent nothing stays behind.
      this.#pending.remove(correlation);
      throw error;
    }
    return () => this.#withdraw(correlation);
  }

  /** Its process, and each that takes the place of it, is there for something else from here on. */
  become(standing: Standing): void {
    this.#birth = { ...this.#birth, ...standing };
    (this.#process ?? this.#opening)?.become(standing);
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  /** The process that requests can be sent to, if there is one. */
  #taker(): HostProcess | undefined {
    return this.#process?.isDoomed ? undefined : this.#process;
  }

  #admit(work: Work): void {
    if (this.#closing !== undefined) {
      throw new ServeError('version_not_ready', UNLOADING);
    }
    const process = this.#taker();
    if (process === undefined) {
      this.#admitHeld(work);
      return;
    }
    const { queue } = this.#options.setting;
    if (this.#sent >= this.#requestsMax) {
      throw new ServeError(
        'overloaded',
        `the queue is full: at most ${queue.requestsMax} requests may wait`,
        { retryAfterMs: this.#retryAfterMs() },
      );
    }
    const { bytesMax } = queue;
    if (process.backlogBytes > bytesMax) {
      throw new ServeError(
        'overloaded',
        `request ${work.id}: over ${bytesMax} bytes are on their way to the process`,
      );
    }
  }

  /**
   * What the process can have at most: its queue full, and each replica with one full batch at work and the next ahead. One
   * more would be refused there, and to send it over and back would take the cores from those that are being answered.
   */
  get #requestsMax(): number {
    const { queue, replicas, batch } = this.#options.setting;
    return queue.requestsMax + BATCHES_PER_REPLICA * replicas * batch.rowsMax;
  }

  /** About how long what the process has will take it. */
  #retryAfterMs(): number {
    const { replicas, batch } = this.#options.setting;
    const batches = Math.ceil(this.#sent / batch.rowsMax);
    const ms = (batches * this.#runTime.expect(batch.rowsMax)) / replicas;
    return Math.max(1, Math.ceil(ms));
  }

  /** What is held while the process restarts has the bounds of the queue that it would otherwise wait in. */
  #admitHeld(work: Work): void {
    if (this.life.kind !== 'ready') {
      throw new ServeError('version_not_ready', 'its process is being restarted', {
        retryAfterMs: 1_000,
      });
    }
    this.#expireHeld();
    const { requestsMax, bytesMax } = this.#options.setting.queue;
    let bytes = bytesOf(work);
    for (const [, { work: held }] of this.#pending.entries()) bytes += bytesOf(held);
    if (this.#pending.size >= requestsMax || bytes > bytesMax) {
      throw new ServeError('overloaded', 'its process is being restarted and the queue is full');
    }
  }

  #expireHeld(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [correlation, { work, settle, sent }] of this.#pending.entries()) {
      if (sent || work.deadlineMs > nowMs) continue;
      this.#remove(correlation);
      settle.reject(new ServeError('deadline_exceeded', 'its process was restarted too slowly'));
    }
  }

  #send(process: HostProcess, correlation: number, pending: Pending): void {
    const { work, plan } = pending;
    process.send({ kind: 'request', correlation, plan, work });
    pending.sent = true;
    this.#sent += 1;
    this.#watchTimer ??= this.#watchAfter(this.#answerMsMax(this.#leftMs(work)));
  }

  #leftMs({ deadlineMs }: Work): number {
    return deadlineMs - this.#options.clock.monotonicMs();
  }

  /** By then a healthy child has answered: in time, or at the end of a run that began in time. */
  #answerMsMax(remainingMs: number): number {
    return Math.max(remainingMs, 0) + this.#options.setting.runMsMax + SILENCE_GRACE_MS;
  }

  #watchAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#watch(), Math.min(ms, TIMER_MS_MAX)).unref();
  }

  /** A child that keeps a request longer than its own bounds allow hangs as a whole, and cannot say so. */
  #watch(): void {
    this.#watchTimer = undefined;
    const nowMs = this.#options.clock.monotonicMs();
    let leftMs = Number.POSITIVE_INFINITY;
    for (const [, { work, sent }] of this.#pending.entries()) {
      if (sent) leftMs = Math.min(leftMs, this.#answerMsMax(0) + work.deadlineMs - nowMs);
    }
    if (leftMs <= 0) this.#process?.kill();
    else if (leftMs < Number.POSITIVE_INFINITY) this.#watchTimer = this.#watchAfter(leftMs);
  }

  #onFrame(frame: Frame): void {
    if (frame.kind !== 'answer' && frame.kind !== 'failure') return;
    const pending = this.#remove(frame.correlation);
    if (pending === undefined) return;
    if (frame.kind === 'answer') {
      pending.settle.resolve(frame.answer);
    } else {
      const { code, message, retryAfterMs } = frame;
      const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
      pending.settle.reject(new ServeError(code, message, retry));
    }
    this.#checkQuiet();
  }

  #onBatch(batch: Parameters<DeskListeners['onBatch']>[0]): void {
    this.#runTime.learn(batch.rows, batch.computeMs);
    this.#options.listeners.onBatch(batch);
  }

  #withdraw(correlation: number): void {
    const pending = this.#remove(correlation);
    if (pending === undefined) return;
    if (pending.sent) this.#process?.send({ kind: 'cancel', correlation });
    pending.settle.reject(new ServeError('cancelled', 'the caller went away'));
    this.#checkQuiet();
  }

  #remove(correlation: number): Pending | undefined {
    const pending = this.#pending.remove(correlation);
    if (pending?.sent) this.#sent -= 1;
    return pending;
  }

  async #launch(): Promise<void> {
    const { setting, checkFiles, listeners, loadMsMax, signal } = this.#options;
    await boundedLoad(Promise.resolve(checkFiles?.()), { loadMsMax, signal });
    // Nothing would ever close a child that is started now.
    if (this.#closing !== undefined) throw new ServeError('version_not_ready', UNLOADING);
    const firstBatchId = this.#processes * BATCH_IDS_PER_PROCESS;
    this.#processes += 1;
    const process = new HostProcess({
      clock: this.#options.clock,
      setting: { ...setting, joinings: this.#joinings.settings, firstBatchId },
      birth: this.#birth,
      onFrame: (frame) => this.#onFrame(frame),
      onExit: (exit) => this.#onExit(process, exit),
      listeners: {
        ...listeners,
        onBatch: (batch) => this.#onBatch(batch),
        onProbe: this.#joinings.onProbe,
        onJoining: this.#joinings.onJoining,
      },
      ...{ loadMsMax, signal },
    });
    this.#opening = process;
    this.#models = await process.open().finally(() => {
      this.#opening = undefined;
    });
    this.#process = process;
    if (this.#closing !== undefined) return;
    for (const [source, { provider }] of this.#models.entries())
      this.#options.listeners.onProvider(source, provider);
    this.#lifeline.become({ kind: 'ready' });
    this.#sendHeld(process);
  }

  #sendHeld(process: HostProcess): void {
    for (const [correlation, pending] of this.#pending.entries()) {
      try {
        this.#send(process, correlation, pending);
      } catch (error) {
        this.#remove(correlation);
        pending.settle.reject(ServeError.from(error));
      }
    }
  }

  #onExit(process: HostProcess, exit: ChildExit): void {
    this.#lastExit = exit;
    if (this.#process !== process) return;
    this.#process = undefined;
    this.#joinings.abandonProbe();
    const how = process.describeExit(exit);
    const inFlight = this.#sent;
    this.#failSent(how);
    if (this.#closing === undefined) this.#onCrash({ ...exit, inFlight }, how);
    else this.#rejectHeld(UNLOADING);
  }

  #failSent(how: string): void {
    const error = new ServeError('host_lost', how);
    for (const [correlation, pending] of this.#pending.entries()) {
      if (!pending.sent) continue;
      this.#remove(correlation);
      pending.settle.reject(error);
    }
    this.#checkQuiet();
  }

  #onCrash(crash: Crash, how: string): void {
    const { listeners, afterCrashLoop, holdDuringRestart } = this.#options;
    const { delayMs, isLoop, isNewLoop } = this.#crashes.add();
    listeners.onCrash(crash);
    if (isLoop || !holdDuringRestart) {
      // From here on requests are refused at once: the version is not ready.
      this.#lifeline.become({ kind: 'loading' });
      this.#rejectHeld(how);
    }
    if (isNewLoop) listeners.onCrashLoop(how);
    if (isLoop && afterCrashLoop === 'giveUp') {
      this.#lifeline.become({ kind: 'failed', reason: `crashes again and again: ${how}` });
      return;
    }
    this.#restartTimer = setTimeout(() => void this.#restart(), delayMs);
  }

  async #restart(): Promise<void> {
    try {
      await this.#launch();
    } catch (error) {
      if (this.#closing === undefined) {
        this.#onCrash({ ...this.#lastExit, inFlight: 0 }, messageOf(error));
      }
    }
  }

  async #drain(): Promise<void> {
    clearTimeout(this.#restartTimer);
    if (this.life.kind !== 'failed') this.#lifeline.become({ kind: 'draining' });
    if (this.#process === undefined) this.#rejectHeld(UNLOADING);
    if (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    await (this.#process ?? this.#opening)?.close();
    this.#lifeline.become({ kind: 'unloaded' });
  }

  /** Once no process is there, all that is pending is held. */
  #rejectHeld(why: string): void {
    for (const [correlation, pending] of this.#pending.entries()) {
      this.#remove(correlation);
      pending.settle.reject(new ServeError('version_not_ready', why));
    }
    this.#checkQuiet();
  }

  #checkQuiet(): void {
    if (this.#pending.size === 0) this.#onQuiet?.();
  }
}
