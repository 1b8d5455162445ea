import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { type Deferred, deferred } from '../../concurrency/deferred.ts';
import type { Answer, Sender } from '../nouns/sender.ts';
import { GrpcConnection, lossOf } from './grpc-connection.ts';
import { Framer, MessageError, MessageReader } from './grpc-message.ts';
import type { GrpcSenderOptions } from './grpc-sender.ts';
import { type GrpcStatus, resetName, statusIn } from './grpc-status.ts';
import {
  ID_FIELD_BYTES,
  idField,
  readStreamAnswer,
  type StreamAnswer,
} from './grpc-stream-answer.ts';

/** Ten digits each, for as many requests as any load has. */
const FIRST_ID = 1_000_000_000;

/**
 * ModelStreamInfer: one stream on each connection, with many requests in flight. Each request is sent with an id of its own
 * in place of the one in its bytes. An answer's body is the ModelInferResponse in it. A model that gives several answers to a request
 * is timed to the first; an answer without an id is held to be the oldest request's.
 */
export class GrpcStreamSender implements Sender {
  readonly #connections: readonly StreamConnection[];
  readonly #framer = new Framer({ tailBytes: ID_FIELD_BYTES });
  #turn = 0;
  #nextId = FIRST_ID;

  constructor({ connections, ...kind }: GrpcSenderOptions) {
    this.#connections = Array.from(
      { length: connections },
      () => new StreamConnection(new GrpcConnection(kind)),
    );
  }

  async open(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.open()));
  }

  send(request: Uint8Array): Promise<Answer> {
    try {
      this.#turn = (this.#turn + 1) % this.#connections.length;
      const connection = this.#connections[this.#turn];
      if (connection === undefined) throw new Error('expected at least one connection, found none');
      const id = String(this.#nextId);
      this.#nextId += 1;
      return connection.stream().send(id, this.#framer.frame(request));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The server still runs it: a request in a stream cannot be cancelled. */
  abandon(answer: Promise<Answer>): void {
    for (const connection of this.#connections) connection.abandon(answer);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

/** A connection and the stream on it: where one has ended, the next request begins another. */
class StreamConnection {
  readonly #connection: GrpcConnection;
  #stream: InferStream | undefined;

  constructor(connection: GrpcConnection) {
    this.#connection = connection;
  }

  async open(): Promise<void> {
    await this.#connection.open();
    this.stream();
  }

  stream(): InferStream {
    if (this.#stream === undefined || this.#stream.isOver)
      this.#stream = new InferStream(this.#connection.call());
    return this.#stream;
  }

  abandon(answer: Promise<Answer>): void {
    this.#stream?.abandon(answer);
  }

  close(): void {
    this.#stream?.cancel('closed by us');
    this.#connection.close();
  }
}

type Waiting = Deferred<Answer>;

const NOTHING = Buffer.alloc(0);
/** So many requests that were given up keep their places; more are those of a server that answers none of them. */
const ABANDONED_MAX = 1_000;

class InferStream {
  readonly #call: ClientHttp2Stream;
  readonly #reader = new MessageReader();
  /** By id, oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  /** Of those, oldest first. */
  readonly #abandoned = new Set<string>();
  #status: GrpcStatus | undefined;
  #failure: Error | undefined;
  isOver = false;

  constructor(call: ClientHttp2Stream) {
    this.#call = call;
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
    // Nothing more will be answered.
    call.on('end', () => {
      this.isOver = true;
      call.end();
    });
    call.on('close', () =>
      this.#finish(lossOf(call, { session, failure: this.#failure, wasHeard })),
    );
  }

  /** `framed` lacks its last part, the id. */
  send(id: string, framed: Buffer): Promise<Answer> {
    const waiting = deferred<Answer>();
    this.#waiting.set(id, waiting);
    this.#call.cork();
    this.#call.write(framed);
    this.#call.write(idField(id));
    this.#call.uncork();
    return waiting.promise;
  }

  cancel(why: string): void {
    this.#endWith((waiting) => waiting.reject(new Error(why)));
    this.#call.close(constants.NGHTTP2_CANCEL);
  }

  /** It keeps its place: its answer may still come, and without an id it would be taken for the next one's. */
  abandon(answer: Promise<Answer>): void {
    for (const [id, waiting] of this.#waiting) {
      if (waiting.promise !== answer) continue;
      waiting.reject(new Error('given up'));
      this.#abandoned.add(id);
    }
    for (const id of this.#abandoned) {
      if (this.#abandoned.size <= ABANDONED_MAX) break;
      this.#forget(id);
    }
  }

  #forget(id: string): void {
    this.#abandoned.delete(id);
    this.#waiting.delete(id);
  }

  #take(piece: Buffer): void {
    if (this.isOver) return;
    try {
      for (const message of this.#reader.take(piece)) this.#answer(readStreamAnswer(message));
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#endWith((waiting) => waiting.resolve(refused(error.message)));
      this.#call.close();
    }
  }

  /** One that answers nothing that waits is a further answer of a request that has its first. */
  #answer({ id, error, response }: StreamAnswer): void {
    const answered = id === '' ? this.#waiting.keys().next().value : id;
    if (answered === undefined) return;
    const waiting = this.#waiting.get(answered);
    this.#forget(answered);
    if (error === undefined) waiting?.resolve({ error: undefined, head: '', body: response });
    else waiting?.resolve(refused(kindOf(error)));
  }

  /** What is in flight when the stream ends was not answered, by the stream's status or by the error that broke it. */
  #finish(loss: Error | undefined): void {
    const status = this.#status;
    const { rstCode } = this.#call;
    if (status !== undefined && status.name !== 'OK')
      this.#endWith((waiting) => waiting.resolve(refused(status.name)));
    else if (loss !== undefined) this.#endWith((waiting) => waiting.reject(loss));
    else if (rstCode !== 0)
      this.#endWith((waiting) => waiting.resolve(refused(resetName(rstCode))));
    else this.#endWith((waiting) => waiting.reject(new Error('the server ended the stream')));
  }

  #endWith(settle: (waiting: Waiting) => void): void {
    this.isOver = true;
    for (const waiting of this.#waiting.values()) settle(waiting);
    this.#waiting.clear();
    this.#abandoned.clear();
  }
}

function refused(error: string): Answer {
  return { error, head: '', body: NOTHING };
}

const KIND_LENGTH_MAX = 100;

/** In a stream the server has words and no status. Without the numbers in them, which vary, they are few enough to be counted. */
function kindOf(error: string): string {
  const text = error.replace(/\b\d+(\.\d+)?\b/g, 'N');
  return text.length > KIND_LENGTH_MAX ? `${text.slice(0, KIND_LENGTH_MAX)}...` : text;
}
