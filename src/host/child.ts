import type { Socket } from 'node:net';
import { InFlightTable } from '../concurrency/in-flight-table.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import { StuckRunError } from '../core/stuck-run.ts';
import type { Answer } from '../core/work.ts';
import type { Frame, RequestFrame } from '../frame/frame.ts';
import { FrameSocket } from '../frame/frame-socket.ts';
import { RingReader, RingWriter } from '../frame/ring.ts';
import { DESCRIPTORS, type FromChild, type ToChild } from './child-message.ts';
import type { Executor, ExecutorListeners, ExecutorSetting } from './executor.ts';
import { openLocalExecutor } from './local-executor.ts';
import { showLabel } from './process-label.ts';

/** Beyond the longest run: after that, a child without a parent ends itself the hard way. */
const ORPHAN_GRACE_MS = 5_000;

/**
 * The child's side of a host process: an executor behind a socket. It serves until the gateway closes it or the socket closes
 * (the gateway has died), then finishes what runs and has nothing left to keep the process alive. It never ends the process
 * while native code runs.
 */
export class Child {
  readonly #clock: Clock = systemClock;
  readonly #frames: FrameSocket;
  readonly #cancels = new InFlightTable<() => void>();
  #executor: Executor | undefined;
  #runMsMax = 0;
  #ending = false;

  constructor(socket: Socket) {
    this.#frames = new FrameSocket(socket, {
      clock: this.#clock,
      onFrame: (frame) => this.#onFrame(frame),
      onError: () => socket.destroy(),
    });
    socket.on('close', () => void this.#end());
  }

  #onFrame(frame: Frame): void {
    switch (frame.kind) {
      case 'request':
        this.#onRequest(frame);
        break;
      case 'cancel':
        this.#cancels.get(frame.correlation)?.();
        break;
      case 'control':
        this.#onMessage(frame.body as ToChild);
        break;
      case 'answer':
      case 'failure':
      case 'stored':
      case 'job':
      case 'result':
        throw new Error(`a child takes no ${frame.kind} frames`);
    }
  }

  #onMessage(message: ToChild): void {
    switch (message.kind) {
      case 'open':
        if (message.hasRings) {
          const { requests, answers } = DESCRIPTORS;
          this.#frames.share({ inbox: new RingReader(requests), outbox: new RingWriter(answers) });
        }
        void this.#open(message.setting);
        return;
      case 'label':
        showLabel(message.label);
        return;
      case 'close':
        void this.#end();
        return;
    }
  }

  async #open(setting: ExecutorSetting): Promise<void> {
    this.#runMsMax = setting.runMsMax;
    const listeners: ExecutorListeners = {
      onBatch: (batch) => this.#send({ kind: 'batch', batch }),
      onProbe: (source) => this.#send({ kind: 'probe', source }),
      onJoining: (source, joining, example) =>
        this.#send({ kind: 'joining', source, joining, example }),
      onRecheck: (isSame) => this.#send({ kind: 'recheck', isSame }),
      // The gateway kills this process for it: what became of its requests goes first.
      onStuck: (runMs) => void setImmediate(() => this.#send({ kind: 'stuck', runMs })),
      onInternalError: (operation, error) =>
        this.#send({ kind: 'error', operation, message: messageOf(error) }),
    };
    try {
      const executor = await openLocalExecutor(setting, listeners, this.#clock);
      this.#executor = executor;
      if (this.#ending) await executor.close();
      else this.#send({ kind: 'ready', models: executor.models });
    } catch (error) {
      this.#send({ kind: 'refused', reason: messageOf(error) });
    }
  }

  #onRequest(frame: RequestFrame): void {
    const { correlation } = frame;
    const fail = (error: ServeError): void => {
      this.#cancels.remove(correlation);
      const { code, message, retryAfterMs } = error;
      const stuckSource = error instanceof StuckRunError ? error.source : undefined;
      const failure = { code, message, retryAfterMs, stuckSource };
      this.#frames.send({ kind: 'failure', correlation, ...failure });
    };
    const resolve = (answer: Answer): void => {
      this.#cancels.remove(correlation);
      try {
        this.#frames.send({ kind: 'answer', correlation, answer });
      } catch (error) {
        const why = messageOf(error);
        fail(new ServeError('runtime_failed', `the model's outputs are too large: ${why}`));
      }
    };
    try {
      if (this.#executor === undefined) throw new ServeError('version_not_ready', 'still loading');
      const cancel = this.#executor.submit(frame, { resolve, reject: fail });
      this.#cancels.put(correlation, cancel);
    } catch (error) {
      fail(ServeError.from(error));
    }
  }

  #send(body: FromChild): void {
    this.#frames.send({ kind: 'control', body });
  }

  async #end(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    setTimeout(
      () => process.kill(process.pid, 'SIGKILL'),
      this.#runMsMax + ORPHAN_GRACE_MS,
    ).unref();
    await this.#executor?.close();
    this.#frames.end();
  }
}
