import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type Http2Session,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { type Address, originOf } from '../nouns/wire.ts';
import { tlsOptionsOf } from './tls-options.ts';

/** So wide that no answer waits for the generator to make room. */
const STREAM_WINDOW_BYTES = 8 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 64 * 1024 * 1024;

/** How calls of one kind are made. */
export type CallKind = {
  readonly address: Address;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
};

/**
 * One HTTP/2 connection for calls of one kind. A connection that has broken, or that its server takes no more calls on, is
 * followed by another at the next call and not before. Calls beyond the server's SETTINGS_MAX_CONCURRENT_STREAMS wait in node.
 */
export class GrpcConnection {
  readonly #address: Address;
  readonly #headers: OutgoingHttpHeaders;
  #session: ClientHttp2Session | undefined;
  #isClosed = false;

  constructor({ address, path, headers }: CallKind) {
    this.#address = address;
    this.#headers = {
      ...lowerCase(headers),
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    };
  }

  /** Resolves when the server has answered in HTTP/2. */
  open(): Promise<void> {
    const session = this.#usableSession();
    return new Promise((resolve, reject) => {
      session.once('remoteSettings', () => resolve());
      session.once('error', reject);
      session.once('close', () => reject(new Error('the server closed the connection')));
    });
  }

  /** Starts a call immediately, or as soon as there is a connection. */
  call(): ClientHttp2Stream {
    if (this.#isClosed) throw new Error('closed by us');
    return this.#usableSession().request(this.#headers);
  }

  /**
   * Takes no more calls and ends when those that it has are over: a session of Node 20 that is destroyed with calls on it may
   * never end. What the server makes of it holds no process up.
   */
  close(): void {
    this.#isClosed = true;
    const session = this.#session;
    if (session === undefined || session.destroyed) return;
    session.unref();
    session.close();
  }

  #usableSession(): ClientHttp2Session {
    const last = this.#session;
    if (last !== undefined && isUsable(last)) return last;
    const session = connect(originOf(this.#address), {
      ...(this.#address.tls && tlsOptionsOf(this.#address)),
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
      // Node would refuse calls once those in flight take 10 MB.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    // Each call reports the error itself.
    session.on('error', () => {});
    this.#session = session;
    return session;
  }
}

/** False once the server has said that it takes no more calls, or the connection is gone. */
function isUsable(session: ClientHttp2Session): boolean {
  return !session.closed && !session.destroyed;
}

/** What is known of a call that was never answered. */
type Unanswered = {
  /** The one that the call began on: a call that is over no longer knows. */
  readonly session: Http2Session | undefined;
  readonly failure: Error | undefined;
  /** Whether anything came back. */
  readonly wasHeard: boolean;
};

/** Why a call was never answered, if that is its connection's doing; undefined: it is the server's. */
export function lossOf(
  { rstCode }: ClientHttp2Stream,
  { session, failure, wasHeard }: Unanswered,
): Error | undefined {
  const isThere = session !== undefined && !session.closed && !session.destroyed;
  if (isThere && (wasHeard || rstCode !== constants.NGHTTP2_NO_ERROR)) return undefined;
  // A call that waited for a connection says first of all that it was cancelled.
  if (failure?.cause instanceof Error) return failure.cause;
  return failure ?? new Error('the server closed the connection');
}

function lowerCase(headers: Readonly<Record<string, string>>): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
