import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

import type { Connection, Connections } from '../connections.ts';

export type BoundSessionOptions = {
  readonly connections: Connections;
  readonly socket: Socket;
  /** Whether the method at a path takes any number of requests. */
  readonly isStream: (path: string) => boolean;
};

/** Holds a session to the bound on all of them. A session sent away gets GOAWAY, and its client connects again. */
export function boundSession(
  session: ServerHttp2Session,
  { connections, socket, isStream }: BoundSessionOptions,
): void {
  const connection = new GrpcConnection(session, socket);
  if (!connections.enter(connection)) {
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  socket.once('close', () => connections.leave(connection));
  session.on('stream', (call: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    connection.calls.set(call, isStream(headers[':path'] ?? ''));
    connections.begin(connection);
    call.once('close', () => {
      connection.calls.delete(call);
      connections.end(connection);
    });
  });
}

class GrpcConnection implements Connection {
  /** Calls that are open, and whether each may stay so. */
  readonly calls = new Map<ServerHttp2Stream, boolean>();
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;

  constructor(session: ServerHttp2Session, socket: Socket) {
    this.#session = session;
    this.#socket = socket;
  }

  /** An idle session closes with GOAWAY; the socket of one that does not end is destroyed. */
  close(): void {
    if (this.calls.size === 0) this.#session.close();
    else this.#socket.destroy();
  }

  isArriving(): boolean {
    for (const [call, isStream] of this.calls) if (isStream || call.readableEnded) return false;
    return true;
  }
}
