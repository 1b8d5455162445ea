import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Answer, Sender } from '../nouns/sender.ts';
import { type CallKind, GrpcConnection, lossOf } from './grpc-connection.ts';
import { Framer, MessageError, MessageReader } from './grpc-message.ts';
import { type GrpcStatus, resetName, statusIn } from './grpc-status.ts';

export type GrpcSenderOptions = CallKind & {
  /** Calls go over them in turn. */
  readonly connections: number;
};

/** An answer with the message of its gRPC status. */
export type GrpcAnswer = Answer & {
  /** The status message of a refused call; empty: none. */
  readonly details: string;
};

/**
 * Unary calls on bare HTTP/2: a library's client would cost more than the servers that it should measure. An answer's body is its
 * message; a status other than OK is its error, by name.
 */
export class GrpcSender implements Sender {
  readonly #connections: readonly GrpcConnection[];
  readonly #framer = new Framer();
  readonly #inFlight = new Set<Exchange>();
  #turn = 0;

  constructor({ connections, ...kind }: GrpcSenderOptions) {
    this.#connections = Array.from({ length: connections }, () => new GrpcConnection(kind));
  }

  async open(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.open()));
  }

  send(request: Uint8Array): Promise<GrpcAnswer> {
    try {
      this.#turn = (this.#turn + 1) % this.#connections.length;
      const call = this.#connections[this.#turn]?.call();
      if (call === undefined) throw new Error('expected at least one connection, found none');
      const exchange = new Exchange(call, () => this.#inFlight.delete(exchange));
      this.#inFlight.add(exchange);
      call.end(this.#framer.frame(request));
      return exchange.answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  abandon(answer: Promise<Answer>): void {
    for (const exchange of this.#inFlight)
      if (exchange.answer === answer) exchange.cancel('given up');
  }

  close(): void {
    for (const exchange of this.#inFlight) exchange.cancel('closed by us');
    for (const connection of this.#connections) connection.close();
  }
}

const NOTHING = Buffer.alloc(0);

/** One call from its sending to its answer. There are as few objects and listeners as can be: each call pays for them. */
class Exchange {
  readonly answer: Promise<GrpcAnswer>;
  readonly #call: ClientHttp2Stream;
  readonly #reader = new MessageReader();
  #resolve: (answer: GrpcAnswer) => void = () => {};
  #reject: (error: Error) => void = () => {};
  #message: Buffer | undefined;
  #fault: string | undefined;
  #status: GrpcStatus | undefined;
  #failure: Error | undefined;

  constructor(call: ClientHttp2Stream, onClose: () => void) {
    this.#call = call;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A call that is over no longer knows its session.
    const { session } = call;
    let wasHeard = false;
    const note = (headers: IncomingHttpHeaders): void => {
      wasHeard = true;
      this.#status = statusIn(headers) ?? this.#status;
    };
    call.on('response', note);
    call.on('trailers', note);
    call.on('data', (piece: Buffer) => this.#take(piece));
    call.on('error', (error) => {
      this.#failure = error;
    });
    // Not as soon as the answer is whole: a call that is sent before node is done with this one costs a fifth more.
    call.on('close', () => {
      onClose();
      this.#finish(lossOf(call, { session, failure: this.#failure, wasHeard }));
    });
  }

  cancel(why: string): void {
    this.#reject(new Error(why));
    this.#call.close(constants.NGHTTP2_CANCEL);
  }

  #take(piece: Buffer): void {
    if (this.#fault !== undefined) return;
    try {
      for (const message of this.#reader.take(piece)) {
        if (this.#message !== undefined) this.#fault = 'more than one message';
        this.#message ??= message;
      }
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#fault = error.message;
    }
  }

  /** Nothing more will come. `loss`: why, where that is the connection's doing. */
  #finish(loss: Error | undefined): void {
    const status = this.#status;
    if (status === undefined && loss !== undefined) this.#reject(loss);
    else this.#resolve(this.#answerWith(status));
  }

  #answerWith(status: GrpcStatus | undefined): GrpcAnswer {
    const { rstCode } = this.#call;
    if (status === undefined) return refused(rstCode === 0 ? 'no status' : resetName(rstCode));
    if (status.name !== 'OK') return refused(status.name, status.details);
    if (this.#fault !== undefined) return refused(this.#fault);
    if (!this.#reader.isBetweenMessages) return refused('half a message');
    if (this.#message === undefined) return refused('no message');
    return { error: undefined, details: '', head: '', body: this.#message };
  }
}

function refused(error: string, details = ''): GrpcAnswer {
  return { error, details, head: '', body: NOTHING };
}
