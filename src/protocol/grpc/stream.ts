import type { Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import type { CancelToken } from '../../concurrency/cancel-token.ts';
import { type Deferred, deferred } from '../../concurrency/deferred.ts';
import type { Clock } from '../../core/clock.ts';
import type { Asker } from '../../core/entrance.ts';
import { ServeError } from '../../core/errors.ts';
import type { MemoryBudget, MemoryShare } from '../memory-budget.ts';
import type { AnswerInfer, Outcome } from './answer-infer.ts';
import { callDeadlineMs, callSignal } from './call-signal.ts';
import { encodeStreamed, encodeStreamedFailure } from './encode.ts';
import type { GrpcLimits } from './limits.ts';
import type { OpenStreams } from './open-streams.ts';
import { ANSWERED, detailsOf, failedGrpcCall, shuttingDown, statusOf } from './status.ts';
import { type ReportError, reportFault } from './unary.ts';
import type { Sendable } from './unwritten-message.ts';

export type BytesStream = ServerDuplexStream<Buffer, Sendable>;

export type StreamOptions = {
  readonly answerInfer: AnswerInfer;
  readonly limits: GrpcLimits;
  readonly clock: Clock;
  readonly budget: Pick<MemoryBudget, 'open'>;
  /** What a call holds of the memory for all, by the metadata that it came with: its messages among it. */
  readonly shareOf: (metadata: Metadata) => MemoryShare;
  /** Who sends a message of a call, by the metadata that the call came with. Throws, or rejects, for one that may send none. */
  readonly ask: (metadata: Metadata) => Asker | Promise<Asker>;
  /** Called for every stream while it is open. */
  readonly open: Pick<OpenStreams, 'enter'>;
  readonly onInternalError: ReportError;
};

/** `ModelStreamInfer`: any number of requests, each with one answer. */
export function createStreamCall(options: StreamOptions) {
  return (call: BytesStream): void => {
    new InferStream(call, options).start();
  };
}

/** The metadata by which a caller asks that the first failure end the stream with its status. */
const STRICT_KEY = 'triton_grpc_error';

type InFlight = {
  readonly outcome: Promise<Outcome>;
  readonly bytes: number;
  /** Memory held in addition to its message. */
  readonly share: MemoryShare;
};

/**
 * One stream. Requests run side by side, and answers leave in the order of the requests: the oldest is awaited while those behind
 * it are at work. With enough in flight, by number or by bytes, nothing more is read until an answer has left, and none leaves
 * faster than it is read. A failure is an answer like any other, unless the caller wants it to end the stream.
 *
 * It takes requests in until the caller has said all, or the server stops; then the rest is answered and the stream ends, with a
 * status that says so where it was the server. Cancelled, or ended by a failure, it drops all requests immediately: those that wait
 * for a replica leave its queue.
 */
class InferStream {
  readonly #call: BytesStream;
  readonly #options: StreamOptions;
  readonly #deadlineMs: number;
  readonly #isStrict: boolean;
  readonly #abort: CancelToken;
  readonly #share: MemoryShare;
  readonly #inFlight: InFlight[] = [];
  #bytes = 0;
  /** Of answers that have been written and not yet taken. */
  #unsentBytes = 0;
  #isWriting = false;
  #intake: 'open' | 'ended' | 'stopped' = 'open';
  #isOver = false;
  /** Resolves when more may be written, or nothing ever will be. */
  #room: Deferred<void> | undefined;

  constructor(call: BytesStream, options: StreamOptions) {
    this.#call = call;
    this.#options = options;
    this.#deadlineMs = callDeadlineMs(call, options.clock);
    this.#isStrict = isStrict(call.metadata);
    this.#share = options.shareOf(call.metadata);
    this.#abort = callSignal(call, options.clock);
  }

  start(): void {
    const { open } = this.#options;
    const call = this.#call;
    const leave = open.enter(() => this.#closeIntake('stopped'));
    call.once('cancelled', () => {
      leave();
      this.#finish();
    });
    call.on('data', (bytes: Buffer) => this.#take(bytes));
    call.once('end', () => this.#closeIntake('ended'));
  }

  /** What has been taken in is answered, no matter which side ended the stream. */
  #closeIntake(intake: 'ended' | 'stopped'): void {
    if (this.#intake === 'open') this.#intake = intake;
    this.#endIfDone();
  }

  #take(bytes: Buffer): void {
    if (this.#isOver || this.#intake !== 'open') return;
    const { metadata } = this.#call;
    const signal = this.#abort;
    const share = this.#options.budget.open();
    const outcome = this.#options.answerInfer({
      method: 'ModelStreamInfer',
      bytes,
      metadata,
      ask: () => this.#options.ask(metadata),
      share,
      deadlineMs: this.#deadlineMs,
      signal,
    });
    this.#inFlight.push({ outcome, bytes: bytes.length, share });
    this.#bytes += bytes.length;
    if (this.#isFull()) this.#call.pause();
    if (!this.#isWriting) void this.#write();
  }

  /** The only loop: between two awaits the stream may have ended. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    for (let oldest = this.#inFlight[0]; oldest !== undefined; oldest = this.#inFlight[0]) {
      const outcome = await oldest.outcome;
      if (this.#isOver) return;
      if (outcome.kind === 'failure' && (this.#isStrict || isShutOut(outcome.error))) {
        this.#fail(outcome.error);
        return;
      }
      this.#send(this.#encode(outcome));
      if (!this.#hasRoom()) await this.#waitForRoom();
      if (this.#isOver) return;
      this.#inFlight.shift();
      this.#bytes -= oldest.bytes;
      oldest.share.release();
      this.#share.give(oldest.bytes);
      if (!this.#isFull()) this.#call.resume();
    }
    this.#isWriting = false;
    this.#endIfDone();
  }

  #encode(outcome: Outcome): Sendable {
    const { trace } = outcome;
    try {
      if (outcome.kind === 'answer') {
        const message = encodeStreamed(outcome.answer);
        trace?.end(ANSWERED);
        return message;
      }
      trace?.end(failedGrpcCall(outcome.error));
      reportFault(outcome.error, this.#options.onInternalError);
      return encodeStreamedFailure(detailsOf(ServeError.from(outcome.error)), outcome.id);
    } catch (thrown) {
      trace?.end(failedGrpcCall(thrown));
      reportFault(thrown, this.#options.onInternalError);
      const id = outcome.kind === 'answer' ? outcome.answer.id : outcome.id;
      return encodeStreamedFailure(detailsOf(ServeError.from(thrown)), id);
    }
  }

  #send(message: Sendable): void {
    const bytes = message.byteLength;
    this.#unsentBytes += bytes;
    this.#call.write(message, () => {
      this.#unsentBytes -= bytes;
      if (this.#hasRoom()) this.#room?.resolve();
    });
  }

  /** The library would keep any number of bytes, as it counts messages. */
  #hasRoom(): boolean {
    const { messageBytesMax } = this.#options.limits;
    return this.#unsentBytes < messageBytesMax && !this.#call.writableNeedDrain;
  }

  async #waitForRoom(): Promise<void> {
    this.#room = deferred();
    await this.#room.promise;
    this.#room = undefined;
  }

  #isFull(): boolean {
    const { streamRequestsMax, messageBytesMax } = this.#options.limits;
    return this.#inFlight.length >= streamRequestsMax || this.#bytes >= messageBytesMax;
  }

  #endIfDone(): void {
    if (this.#isOver || this.#intake === 'open' || this.#inFlight.length > 0) return;
    if (this.#intake === 'stopped') this.#fail(shuttingDown());
    else {
      this.#finish();
      this.#call.end();
    }
  }

  /** Ends the stream with the status of an error. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    reportFault(error, this.#options.onInternalError);
    this.#finish();
    this.#abort.abort();
    const { code, details, metadata } = statusOf(error);
    this.#call.emit('error', { code, details, metadata, message: details });
  }

  #finish(): void {
    this.#isOver = true;
    for (const { share, outcome } of this.#inFlight) {
      share.release();
      void outcome.then(endUnsent);
    }
    this.#inFlight.length = 0;
    this.#room?.resolve();
  }
}

/** Its caller was let in, and would not be any more. */
function isShutOut(error: unknown): boolean {
  return error instanceof ServeError && error.code === 'unauthenticated';
}

/** Its stream has ended before it. */
function endUnsent({ trace, ...outcome }: Outcome): void {
  const cancelled = new ServeError('cancelled', 'the stream has ended');
  trace?.end(failedGrpcCall(outcome.kind === 'failure' ? outcome.error : cancelled));
}

function isStrict(metadata: Metadata): boolean {
  return metadata.get(STRICT_KEY).some((value) => value === 'true');
}
