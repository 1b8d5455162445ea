import type { Entry } from '../batching/queue.ts';
import type { Work } from '../batching/work.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import type { Life } from '../core/version.ts';
import type { WorkerReport } from '../engine/worker.ts';
import { CrashLog } from './crash-log.ts';
import type { Desk, DeskListeners, DeskSetting } from './desk.ts';
import { Lifeline } from './lives.ts';
import { type ChildExit, HostProcess } from './process.ts';

export type Crash = ChildExit & { readonly inFlight: number };

export type SupervisorOptions = {
  readonly setting: Omit<DeskSetting, 'firstBatchId'>;
  readonly nice: number;
  readonly clock: Clock;
  /** What a crash loop leads to: no more restarts (a candidate), or restarts at long intervals (people wait for it). */
  readonly afterCrashLoop: 'giveUp' | 'keepTrying';
  /** Hold requests that arrive during a short restart, instead of refusing them. */
  readonly holdDuringRestart: boolean;
  readonly listeners: Pick<DeskListeners, 'onBatch' | 'onInternalError'> & {
    readonly onLife: (life: Life) => void;
    readonly onCrash: (crash: Crash) => void;
    readonly onCrashLoop: (detail: string) => void;
  };
};

type Settle = Pick<Entry, 'resolve' | 'reject'>;
type Pending = { readonly work: Work; readonly settle: Settle; sent: boolean };

/** Batch numbers of one process and the next must not meet. */
const BATCH_IDS_PER_PROCESS = 1_000_000_000;

/**
 * A desk whose work is done in a child process, which is started again when it dies. What was in the child is rejected at once
 * as `host_lost` and never run again: a request may be what killed it, and an arm on trial must not hide its failures. What
 * arrives during a short restart is held, so that a crash costs only the requests that were in it.
 */
export class Supervisor implements Desk {
  readonly #options: SupervisorOptions;
  readonly #lifeline: Lifeline;
  readonly #crashes: CrashLog;
  readonly #pending = new Map<number, Pending>();
  /** The child that is ready to take requests. */
  #process: HostProcess | undefined;
  #opening: HostProcess | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #models: WorkerReport['models'] = [];
  #processes = 0;
  #nextCorrelation = 1;
  #sent = 0;
  #lastExit: ChildExit = { signal: undefined, exitCode: undefined };
  #closing: Promise<void> | undefined;
  #onQuiet: (() => void) | undefined;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#crashes = new CrashLog(options.clock);
    this.#lifeline = new Lifeline(options.listeners.onLife);
  }

  /** Resolves when the child is ready; rejects with why it cannot be. The first start is not tried again. */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const supervisor = new Supervisor(options);
    try {
      await supervisor.#launch();
    } catch (error) {
      supervisor.#lifeline.become({ kind: 'failed', reason: messageOf(error) });
      throw error;
    }
    return supervisor;
  }

  get models(): WorkerReport['models'] {
    return this.#models;
  }

  get life(): Life {
    return this.#lifeline.life;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Requests taken and not yet settled. */
  get inFlight(): number {
    return this.#pending.size;
  }

  submit(work: Work, settle: Settle): () => void {
    this.#admit(work);
    const correlation = this.#nextCorrelation;
    this.#nextCorrelation = (correlation + 1) >>> 0;
    const pending: Pending = { work, settle, sent: false };
    this.#pending.set(correlation, pending);
    const process = this.#taker();
    if (process !== undefined) this.#send(process, correlation, pending);
    return () => this.#withdraw(correlation);
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
    const { queue } = this.#options.setting;
    if (this.#closing !== undefined) {
      throw new ServeError('version_not_ready', 'the version is being unloaded');
    }
    const process = this.#taker();
    if (process === undefined) {
      if (this.life.kind !== 'ready') {
        throw new ServeError('version_not_ready', 'its process is being restarted', {
          retryAfterMs: 1_000,
        });
      }
      if (this.#pending.size >= queue.requestsMax) {
        throw new ServeError('overloaded', 'its process is being restarted and the queue is full');
      }
    } else if (process.backlogBytes > queue.bytesMax) {
      throw new ServeError(
        'overloaded',
        `request ${work.id}: over ${queue.bytesMax} bytes are on their way to the process`,
      );
    }
  }

  #send(process: HostProcess, correlation: number, pending: Pending): void {
    const { id, inputs, outputs, plan, deadlineMs } = pending.work;
    const remainingMs = deadlineMs - this.#options.clock.monotonicMs();
    pending.sent = true;
    this.#sent += 1;
    process.send({
      kind: 'request',
      correlation,
      id,
      remainingMs,
      plan,
      outputs,
      tensors: inputs,
    });
  }

  #onFrame(frame: Frame): void {
    if (frame.kind !== 'answer' && frame.kind !== 'failure') return;
    const pending = this.#remove(frame.correlation);
    if (pending === undefined) return;
    if (frame.kind === 'answer') {
      pending.settle.resolve({ runs: frame.runs, queueMs: frame.queueMs, batch: frame.batch });
    } else {
      const { code, message, retryAfterMs } = frame;
      const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
      pending.settle.reject(new ServeError(code, message, retry));
    }
    this.#checkQuiet();
  }

  #withdraw(correlation: number): void {
    const pending = this.#remove(correlation);
    if (pending === undefined) return;
    if (pending.sent) this.#process?.send({ kind: 'cancel', correlation });
    pending.settle.reject(new ServeError('cancelled', 'the caller went away'));
    this.#checkQuiet();
  }

  #remove(correlation: number): Pending | undefined {
    const pending = this.#pending.get(correlation);
    if (pending === undefined) return undefined;
    this.#pending.delete(correlation);
    if (pending.sent) this.#sent -= 1;
    return pending;
  }

  async #launch(): Promise<void> {
    const { setting, nice, listeners } = this.#options;
    const firstBatchId = this.#processes * BATCH_IDS_PER_PROCESS;
    this.#processes += 1;
    const process = new HostProcess({
      setting: { ...setting, firstBatchId },
      nice,
      onFrame: (frame) => this.#onFrame(frame),
      onExit: (exit) => this.#onExit(process, exit),
      listeners,
    });
    this.#opening = process;
    this.#models = await process.open().finally(() => {
      this.#opening = undefined;
    });
    this.#process = process;
    if (this.#closing !== undefined) return;
    this.#lifeline.become({ kind: 'ready' });
    for (const [correlation, pending] of this.#pending) this.#send(process, correlation, pending);
  }

  #onExit(process: HostProcess, exit: ChildExit): void {
    this.#lastExit = exit;
    if (this.#process !== process) return;
    this.#process = undefined;
    const how = process.describeExit(exit);
    const inFlight = this.#sent;
    this.#failSent(how);
    if (this.#closing === undefined) this.#onCrash({ ...exit, inFlight }, how);
  }

  #failSent(how: string): void {
    const error = new ServeError('host_lost', how);
    for (const [correlation, pending] of [...this.#pending]) {
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
    if (isLoop || !holdDuringRestart) this.#refuseHeld(how);
    if (isNewLoop) listeners.onCrashLoop(how);
    if (isLoop && afterCrashLoop === 'giveUp') {
      this.#lifeline.become({ kind: 'failed', reason: `crashes again and again: ${how}` });
      return;
    }
    this.#restartTimer = setTimeout(() => void this.#restart(), delayMs);
  }

  /** From here on requests are refused at once: the version is not ready. */
  #refuseHeld(how: string): void {
    this.#lifeline.become({ kind: 'loading' });
    for (const [correlation, pending] of [...this.#pending]) {
      this.#remove(correlation);
      pending.settle.reject(new ServeError('version_not_ready', how));
    }
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
    if (this.#process === undefined) this.#rejectAll();
    if (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    await (this.#process ?? this.#opening)?.close();
    this.#lifeline.become({ kind: 'unloaded' });
  }

  #rejectAll(): void {
    for (const [correlation, pending] of [...this.#pending]) {
      this.#remove(correlation);
      pending.settle.reject(new ServeError('version_not_ready', 'the version is being unloaded'));
    }
  }

  #checkQuiet(): void {
    if (this.#pending.size === 0) this.#onQuiet?.();
  }
}
