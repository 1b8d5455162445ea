import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { deferred } from '../concurrency/deferred.ts';
import type { Clock } from '../core/clock.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import type { WorkerReport } from '../engine/worker.ts';
import type { Frame } from '../frame/frame.ts';
import { FrameSocket } from '../frame/frame-socket.ts';
import { openRing, RingReader, RingWriter } from '../frame/ring.ts';
import { type Birth, type ProcessRole, setOomScore, variablesOf } from './birth.ts';
import { DESCRIPTORS, type FromChild, type ToChild } from './child-message.ts';
import { keepTrackOf } from './children.ts';
import type { ExecutorListeners, ExecutorSetting } from './executor.ts';
import { boundedLoad, LoadAbandonedError, type LoadBounds } from './load-bounds.ts';
import { overMemoryText, watchMemory } from './memory-watch.ts';

/** How a child ended. */
export type ChildExit = {
  readonly signal: string | undefined;
  readonly exitCode: number | undefined;
  /** Why we killed it, as text; undefined: we did not. */
  readonly because?: string | undefined;
};

/** A child whose load takes too long, or is given up, is killed. */
export type HostProcessOptions = LoadBounds & {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly setting: ExecutorSetting;
  readonly birth: Birth;
  readonly onFrame: (frame: Frame) => void;
  /** Once, after everything that the child had sent has been read. */
  readonly onExit: (exit: ChildExit) => void;
  readonly listeners: Pick<
    ExecutorListeners,
    'onBatch' | 'onProbe' | 'onJoining' | 'onRecheck' | 'onInternalError'
  >;
};

const MAIN_FILE = fileURLToPath(new URL('./main.js', import.meta.url));
const CLOSE_GRACE_MS = 5_000;
const LAST_WORDS_MAX = 2_000;

/** The gateway's side of one child process, from spawn to exit. */
export class HostProcess {
  readonly #options: HostProcessOptions;
  readonly #child: ChildProcess;
  readonly #frames: FrameSocket;
  readonly #memory = openMemory();
  readonly #ready = deferred<WorkerReport['models']>();
  readonly #exited = deferred<ChildExit>();
  #lastWords = '';
  #killedBecause: string | undefined;
  readonly #stopWatching: () => void;
  #doomed = false;

  constructor(options: HostProcessOptions) {
    this.#options = options;
    this.#child = spawnChild(options.birth, this.#memory);
    this.#frames = new FrameSocket(this.#child.stdio[DESCRIPTORS.socket] as Socket, {
      clock: options.clock,
      onFrame: (frame) => this.#onFrame(frame),
      // Without the socket the child cannot be controlled, so it must not keep running.
      onError: () => this.kill(),
    });
    if (this.#memory !== undefined) this.#frames.share(this.#memory);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS_MAX);
    });
    this.#child.on('error', (error) => {
      this.#lastWords += error.message;
    });
    this.#child.on('close', (exitCode, signal) => {
      const how = { exitCode: exitCode ?? undefined, signal: signal ?? undefined };
      this.#onExit({ ...how, because: this.#killedBecause });
    });
    const { memoryBytesMax: bytesMax } = options.birth;
    const onOver = (bytes: number): void => this.#killBecause(overMemoryText(bytes, bytesMax ?? 0));
    this.#stopWatching = watchMemory({ pid: this.#child.pid, bytesMax, onOver });
    this.#ready.promise.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** It has been killed and takes no more requests; its end is yet to be seen. */
  get isDoomed(): boolean {
    return this.#doomed;
  }

  /** Bytes sent that the child has not yet taken. */
  get backlogBytes(): number {
    return this.#frames.backlogBytes;
  }

  /** Resolves when every source is loaded and warm; rejects with why not, and then the child is gone. */
  async open(): Promise<WorkerReport['models']> {
    const { setting } = this.#options;
    this.#control({ kind: 'open', setting, hasRings: this.#memory !== undefined });
    try {
      return await boundedLoad(this.#ready.promise, this.#options);
    } catch (error) {
      if (error instanceof LoadAbandonedError) this.kill();
      await this.close();
      throw error;
    }
  }

  send(frame: Frame<OutboundTensor>): void {
    this.#frames.send(frame);
  }

  /** Gives the process a new label and `oom_score_adj`. */
  become(role: ProcessRole): void {
    setOomScore(this.pid, role);
    if (role.label !== undefined) this.#control({ kind: 'label', label: role.label });
  }

  kill(): void {
    this.#doomed = true;
    this.#child.kill('SIGKILL');
  }

  /** Lets the child finish and end by itself; kills it only if that takes longer than its longest run. */
  async close(): Promise<void> {
    this.#control({ kind: 'close' });
    const graceMs = this.#options.setting.runMsMax + CLOSE_GRACE_MS;
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.#exited.promise;
    clearTimeout(timer);
  }

  /** How it ended, as text. */
  describeExit({ signal, exitCode, because }: ChildExit): string {
    const how = signal ?? `exit code ${exitCode ?? 'unknown'}`;
    const why = because === undefined ? '' : `: ${because}`;
    const words = this.#lastWords.trim();
    return `process exited (${how}${why})${words === '' ? '' : `; its last output: ${words}`}`;
  }

  #onFrame(frame: Frame): void {
    if (frame.kind === 'control') this.#onMessage(frame.body as FromChild);
    else this.#options.onFrame(frame);
  }

  #onMessage(message: FromChild): void {
    const { onBatch, onProbe, onJoining, onRecheck, onInternalError } = this.#options.listeners;
    switch (message.kind) {
      case 'ready':
        this.#ready.resolve(message.models);
        break;
      case 'refused':
        this.#ready.reject(new Error(message.reason));
        break;
      case 'batch':
        onBatch(message.batch);
        break;
      case 'probe':
        onProbe(message.source);
        break;
      case 'joining':
        onJoining(message.source, message.joining, message.example);
        break;
      case 'recheck':
        onRecheck(message.isSame);
        break;
      case 'stuck':
        this.#killBecause(`a run took over ${message.runMs} ms`);
        break;
      case 'error':
        onInternalError(message.operation, new Error(message.message));
        break;
    }
  }

  #killBecause(why: string): void {
    this.#killedBecause ??= why;
    this.kill();
  }

  #onExit(exit: ChildExit): void {
    this.#stopWatching();
    this.#memory?.close();
    this.#ready.reject(new Error(this.describeExit(exit)));
    this.#exited.resolve(exit);
    this.#options.onExit(exit);
  }

  #control(body: ToChild): void {
    this.#frames.send({ kind: 'control', body });
  }
}

/** A ring for each direction, held open at this end for as long as the child may be there. */
type Memory = {
  readonly requests: number;
  readonly answers: number;
  readonly outbox: RingWriter;
  readonly inbox: RingReader;
  readonly close: () => void;
};

function openMemory(): Memory | undefined {
  const requests = openRing();
  if (requests === undefined) return undefined;
  const answers = openRing();
  if (answers === undefined) {
    closeSync(requests);
    return undefined;
  }
  const outbox = new RingWriter(requests);
  const close = (): void => {
    outbox.close();
    closeSync(requests);
    closeSync(answers);
  };
  return { requests, answers, outbox, inbox: new RingReader(answers), close };
}

/** Not detached: the child stays in our process group and session, so nothing of it outlives a container. */
function spawnChild(birth: Birth, memory: Memory | undefined): ChildProcess {
  const { nice, label } = birth;
  const node = [process.execPath, MAIN_FILE, ...(label === undefined ? [] : [label])] as const;
  const [file, ...args] = nice > 0 ? (['nice', '-n', String(nice), ...node] as const) : node;
  const rings = memory === undefined ? [] : [memory.requests, memory.answers];
  const stdio: StdioOptions = ['ignore', 'ignore', 'pipe', 'pipe', ...rings];
  try {
    const child = spawn(file, args, { env: variablesOf(birth), stdio });
    keepTrackOf(child);
    if (birth.oomScoreAdj > 0) setOomScore(child.pid, birth);
    const pipes: ChildProcess['stdio'] | undefined = child.stdio;
    if (pipes !== undefined) return child;
    // The stream emits the error as an event too, which would end this process if there were no listener.
    child.on('error', () => undefined);
    throw new Error('no process can be started: no file descriptors are left');
  } catch (error) {
    memory?.close();
    throw error;
  }
}
