import assert from 'node:assert/strict';
import { type Deferred, deferred } from '../concurrency/deferred.ts';
import { TIMER_MS_MAX } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { Joining } from '../core/joining.ts';
import type { VersionState } from '../core/version.ts';
import type { Planned, Work } from '../core/work.ts';
import type { WorkerReport } from '../engine/worker.ts';
import type { Frame } from '../frame/frame.ts';
import { Admission } from './admission.ts';
import type { Birth, ProcessRole } from './birth.ts';
import { CrashLog } from './crash-log.ts';
import type { Executor, ExecutorListeners } from './executor.ts';
import { JoiningMemory } from './joining-memory.ts';
import { boundedLoad } from './load-bounds.ts';
import { type Pending, PendingRequests, type Settle } from './pending-requests.ts';
import { type ChildExit, HostProcess } from './process.ts';
import type { SupervisorOptions } from './supervision.ts';
import { VersionStateMachine } from './version-state-machine.ts';

/** Batch numbers of one process and the next must not meet. */
const BATCH_IDS_PER_PROCESS = 1_000_000_000;
/** Beyond the last moment at which a healthy child has answered. */
const SILENCE_GRACE_MS = 2_000;
const UNLOADING = 'the version is being unloaded';
const NO_EXIT: ChildExit = { signal: undefined, exitCode: undefined };

/**
 * What the supervisor is doing. Each mode has only the fields that mean something in it.
 *
 * - `opening`: a child process loads the sources; it has no process while the files are checked. New requests are held if the
 *   version was ready before, and refused otherwise. Ends in `running` when the child reports ready, in `waiting` or `failed`
 *   when a restart cannot load, in `closing` on `close()`. A first start that cannot load rejects, and leaves no supervisor.
 * - `running`: the child takes requests. Ends in `waiting` or `failed` when the child exits, in `closing` on `close()`.
 * - `waiting`: the child has exited and the back-off timer runs. New requests are held or refused as in `opening`. Ends in
 *   `opening` when the timer fires, in `closing` on `close()`.
 * - `failed`: a crash loop, and `afterCrashLoop` is `giveUp`. No process, no timer; new requests are refused. Ends in
 *   `closing` on `close()`.
 * - `closing`: new requests are refused, the child that was running finishes the ones it has, and every child is closed. Final:
 *   `closed` settles when nothing of the version is left.
 *
 * `lastExit` is how the latest child ended, for the crash report of a restart that cannot load.
 */
type Mode =
  | { kind: 'opening'; process: HostProcess | undefined; lastExit: ChildExit }
  | { kind: 'running'; process: HostProcess }
  | { kind: 'waiting'; timer: NodeJS.Timeout; lastExit: ChildExit }
  | { kind: 'failed' }
  | {
      kind: 'closing';
      process: HostProcess | undefined;
      idle: Deferred<void>;
      closed: Deferred<void>;
    };

/** `opening` follows itself where a first start died in its probe, and starts again without one. */
const NEXT: Readonly<Record<Mode['kind'], readonly Mode['kind'][]>> = {
  opening: ['opening', 'running', 'waiting', 'failed', 'closing'],
  running: ['waiting', 'failed', 'closing'],
  waiting: ['opening', 'closing'],
  failed: ['closing'],
  closing: [],
};

/**
 * An executor whose work is done in a child process. The supervisor restarts the process when it exits. It rejects the requests in
 * flight immediately as `host_lost` and never runs them again: one of them may have killed it, and an arm on trial must not
 * hide its failures. It holds the requests that arrive during a short restart, so that a crash costs only those in the process.
 */
export class Supervisor implements Executor {
  readonly #options: SupervisorOptions;
  #birth: Birth;
  readonly #joinings: JoiningMemory;
  readonly #machine: VersionStateMachine;
  readonly #crashes: CrashLog;
  readonly #pending = new PendingRequests();
  readonly #admission: Admission;
  #mode: Mode = { kind: 'opening', process: undefined, lastExit: NO_EXIT };
  #models: WorkerReport['models'] = [];
  /** Processes started so far. */
  #processes = 0;
  /** Set while the process has requests: fires when one of them is overdue. */
  #watchTimer: NodeJS.Timeout | undefined;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#birth = options.birth;
    this.#admission = new Admission(options.setting);
    this.#crashes = new CrashLog(options.clock);
    this.#joinings = new JoiningMemory(options.setting.joinings, options.listeners.onJoining);
    this.#machine = new VersionStateMachine(options.listeners.onState);
  }

  /** Resolves when the child is ready; rejects with why it cannot be. Only a start that ended in a probe is tried again. */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const supervisor = new Supervisor(options);
    try {
      await supervisor.#launch(NO_EXIT).catch((error: unknown) => {
        if (supervisor.#joinings.abandonProbe()) return supervisor.#launch(NO_EXIT);
        throw error;
      });
    } catch (error) {
      supervisor.#machine.end(messageOf(error), options.signal);
      throw error;
    }
    return supervisor;
  }

  get models(): WorkerReport['models'] {
    return this.#models;
  }

  readonly joinings = (): readonly Joining[] => this.#joinings.joinings();

  get state(): VersionState {
    return this.#machine.state;
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
    return () => this.#cancel(correlation);
  }

  /** Gives the process a new label and `oom_score_adj`, and each process that is started after it. */
  become(role: ProcessRole): void {
    this.#birth = { ...this.#birth, ...role };
    if ('process' in this.#mode) this.#mode.process?.become(role);
  }

  close(): Promise<void> {
    const mode = this.#mode;
    if (mode.kind === 'closing') return mode.closed.promise;
    const closed = deferred<void>();
    this.#drain(mode, closed).then(closed.resolve, closed.reject);
    return closed.promise;
  }

  /** Every change of mode passes here. The caller of an illegal one has a bug. */
  #enter(mode: Mode): void {
    const { kind } = this.#mode;
    assert(NEXT[kind].includes(mode.kind), `expected no ${mode.kind} after ${kind}`);
    this.#mode = mode;
  }

  get #isClosing(): boolean {
    return this.#mode.kind === 'closing';
  }

  /** The child that has loaded; undefined: none has. */
  get #process(): HostProcess | undefined {
    const mode = this.#mode;
    return mode.kind === 'running' || mode.kind === 'closing' ? mode.process : undefined;
  }

  /** The process that requests can be sent to, if there is one. */
  #taker(): HostProcess | undefined {
    return this.#process?.isDoomed ? undefined : this.#process;
  }

  #admit(work: Work): void {
    if (this.#isClosing) throw new ServeError('version_not_ready', UNLOADING);
    const process = this.#taker();
    if (process === undefined) {
      this.#admitHeld(work);
      return;
    }
    this.#admission.checkSent(work, {
      sent: this.#pending.sent,
      backlogBytes: process.backlogBytes,
    });
  }

  #admitHeld(work: Work): void {
    if (this.state.kind !== 'ready') {
      throw new ServeError('version_not_ready', 'its process is being restarted', {
        retryAfterMs: 1_000,
      });
    }
    this.#expireHeld();
    this.#admission.checkHeld(work, this.#pending);
  }

  #expireHeld(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#pending.reject(
      ({ work, sent }) => !sent && work.deadlineMs <= nowMs,
      new ServeError('deadline_exceeded', 'its process was restarted too slowly'),
    );
  }

  #send(process: HostProcess, correlation: number, pending: Pending): void {
    const { work, plan } = pending;
    process.send({ kind: 'request', correlation, plan, work });
    this.#pending.markSent(pending);
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
    const leftMs = this.#answerMsMax(0) + this.#pending.firstSentDeadlineMs - nowMs;
    if (leftMs <= 0) this.#process?.kill();
    else if (leftMs < Number.POSITIVE_INFINITY) this.#watchTimer = this.#watchAfter(leftMs);
  }

  #onFrame(frame: Frame): void {
    this.#pending.settle(frame);
    this.#checkIdle();
  }

  #onBatch(batch: Parameters<ExecutorListeners['onBatch']>[0]): void {
    this.#admission.learn(batch);
    this.#options.listeners.onBatch(batch);
  }

  #cancel(correlation: number): void {
    const pending = this.#pending.remove(correlation);
    if (pending === undefined) return;
    if (pending.sent) this.#process?.send({ kind: 'cancel', correlation });
    pending.settle.reject(new ServeError('cancelled', 'the caller went away'));
    this.#checkIdle();
  }

  /** Starts a child. Rejects with why it cannot load, and the mode is left for the caller to change. */
  async #launch(lastExit: ChildExit): Promise<void> {
    this.#enter({ kind: 'opening', process: undefined, lastExit });
    const { checkFiles, loadMsMax, signal } = this.#options;
    await boundedLoad(Promise.resolve(checkFiles?.()), { loadMsMax, signal });
    // `close()` has returned without this child, so that nothing would close it.
    if (this.#isClosing) throw new ServeError('version_not_ready', UNLOADING);
    const process = this.#newProcess();
    this.#enter({ kind: 'opening', process, lastExit });
    this.#models = await process.open();
    if (this.#isClosing) return;
    this.#enter({ kind: 'running', process });
    for (const [source, { provider }] of this.#models.entries())
      this.#options.listeners.onProvider(source, provider);
    this.#machine.become({ kind: 'ready' });
    this.#sendHeld(process);
  }

  #newProcess(): HostProcess {
    const { setting, listeners, loadMsMax, signal, clock } = this.#options;
    const firstBatchId = this.#processes * BATCH_IDS_PER_PROCESS;
    this.#processes += 1;
    const process: HostProcess = new HostProcess({
      clock,
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
    return process;
  }

  #sendHeld(process: HostProcess): void {
    for (const [correlation, pending] of this.#pending.entries()) {
      try {
        this.#send(process, correlation, pending);
      } catch (error) {
        this.#pending.remove(correlation);
        pending.settle.reject(ServeError.from(error));
      }
    }
  }

  #onExit(process: HostProcess, exit: ChildExit): void {
    const mode = this.#mode;
    if (mode.kind === 'opening' && mode.process === process) mode.lastExit = exit;
    if (this.#process !== process) return;
    this.#joinings.abandonProbe();
    const how = process.describeExit(exit);
    if (mode.kind === 'closing') {
      mode.process = undefined;
      this.#failSent(how);
      this.#rejectHeld(UNLOADING);
    } else this.#onCrash(exit, how);
  }

  #failSent(how: string): void {
    this.#pending.reject(({ sent }) => sent, new ServeError('host_lost', how));
    this.#checkIdle();
  }

  /** The child has exited, or its successor cannot load: restarts it after a while, or gives up. */
  #onCrash(exit: ChildExit, how: string): void {
    const { listeners, afterCrashLoop, holdDuringRestart } = this.#options;
    const { delayMs, isLoop, isNewLoop } = this.#crashes.add();
    const givesUp = isLoop && afterCrashLoop === 'giveUp';
    const inFlight = this.#pending.sent;
    if (givesUp) this.#enter({ kind: 'failed' });
    else {
      const timer = setTimeout(() => void this.#restart(exit), delayMs);
      this.#enter({ kind: 'waiting', timer, lastExit: exit });
    }
    this.#failSent(how);
    listeners.onCrash({ ...exit, inFlight, isRestarting: !givesUp });
    if (isLoop || !holdDuringRestart) {
      // The version is not ready from here on, so requests are refused instead of held.
      this.#machine.become({ kind: 'loading' });
      this.#rejectHeld(how);
    }
    if (isNewLoop) listeners.onCrashLoop(how);
    if (givesUp) {
      this.#machine.become({ kind: 'failed', reason: `crash loop: ${how}` });
    }
  }

  async #restart(lastExit: ChildExit): Promise<void> {
    try {
      await this.#launch(lastExit);
    } catch (error) {
      if (this.#mode.kind === 'opening') this.#onCrash(this.#mode.lastExit, messageOf(error));
    }
  }

  async #drain(before: Mode, closed: Deferred<void>): Promise<void> {
    const idle = deferred<void>();
    const running = this.#process;
    this.#enter({ kind: 'closing', process: running, idle, closed });
    if (before.kind === 'waiting') clearTimeout(before.timer);
    if (this.state.kind !== 'failed') this.#machine.become({ kind: 'draining' });
    if (running === undefined) this.#rejectHeld(UNLOADING);
    this.#checkIdle();
    await idle.promise;
    if (before.kind === 'opening') await before.process?.close();
    else await this.#process?.close();
    this.#machine.become({ kind: 'unloaded' });
  }

  /** Once no process is there, all that is pending is held. */
  #rejectHeld(why: string): void {
    this.#pending.reject(() => true, new ServeError('version_not_ready', why));
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#pending.size === 0 && this.#mode.kind === 'closing') this.#mode.idle.resolve();
  }
}
