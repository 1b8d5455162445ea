import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Answer, Sender } from '../sender.ts';
import { type CallKind, GrpcConnection, lossOf } from './grpc-connection.ts';
import { Framer, MessageError, MessageReader } from './grpc-message.ts';
import { type GrpcStatus, resetName, statusIn } from './grpc-status.ts';

export type GrpcSenderOptions = CallKind & {
  /** Calls go over them in turn. */
  readonly connections: number;
};

/**
 * Unary calls on bare HTTP/2: a library's client would cost more than the servers that it should measure. An answer's body is its
 * message; a status other than OK is its error, by name.
 */
export class GrpcSender implements Sender {
  readonly #connections: readonly GrpcConnection[];
  readonly #framer = new Framer();
  #turn = 0;

  constructor({ connections, ...kind }: GrpcSenderOptions) {
    this.#connections = Array.from({ length: connections }, () => new GrpcConnection(kind));
  }

  async open(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.open()));
  }

  async send(request: Uint8Array): Promise<Answer> {
    const { error, body } = await this.call(request);
    return { error: error?.name, head: '', body };
  }

  /** As `send`, with the server's words where it refuses. */
  call(request: Uint8Array): Promise<CallAnswer> {
    return new Promise((resolve, reject) => {
      this.#turn = (this.#turn + 1) % this.#connections.length;
      const call = this.#connections[this.#turn]?.call();
      if (call === undefined) throw new Error('expected at least one connection, found none');
      new Exchange(call, { resolve, reject });
      call.end(this.#framer.frame(request));
    });
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

/** `error` is undefined where the call ended with OK and a message. */
export type CallAnswer = { readonly error: GrpcStatus | undefined; readonly body: Buffer };

type Settle = {
  readonly resolve: (answer: CallAnswer) => void;
  readonly reject: (error: Error) => void;
};

const NOTHING = Buffer.alloc(0);

/** One call from its sending to its answer. */
class Exchange {
  readonly #settle: Settle;
  readonly #reader = new MessageReader();
  #message: Buffer | undefined;
  #fault: string | undefined;
  #status: GrpcStatus | undefined;
  #failure: Error | undefined;

  constructor(call: ClientHttp2Stream, settle: Settle) {
    this.#settle = settle;
    // A call that is over no longer knows its session.
    const { session } = call;
    const note = (headers: IncomingHttpHeaders): void => {
      this.#status = statusIn(headers) ?? this.#status;
    };
    call.on('response', note);
    call.on('trailers', note);
    call.on('data', (piece: Buffer) => this.#take(piece));
    call.on('error', (error) => {
      this.#failure = error;
    });
    call.on('end', () => this.#finish());
    call.on('close', () => {
      this.#finish();
      const loss = lossOf(session, this.#failure);
      if (loss !== undefined) settle.reject(loss);
      else settle.resolve(refused(call.rstCode === 0 ? 'no status' : resetName(call.rstCode)));
    });
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

  /** The answer, once its status is there. */
  #finish(): void {
    const status = this.#status;
    if (status === undefined) return;
    const { resolve } = this.#settle;
    if (status.name !== 'OK') resolve({ error: status, body: NOTHING });
    else if (this.#fault !== undefined) resolve(refused(this.#fault));
    else if (!this.#reader.isBetweenMessages) resolve(refused('half a message'));
    else if (this.#message === undefined) resolve(refused('no message'));
    else resolve({ error: undefined, body: this.#message });
  }
}

function refused(name: string): CallAnswer {
  return { error: { name, details: '' }, body: NOTHING };
}
