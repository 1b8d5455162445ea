import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Connection, Connections } from '../connections.ts';

const BODY = JSON.stringify({
  error:
    'too many connections, and all of them are at work: expected at most server.connectionsMax. Retry later',
  code: 'overloaded',
});

/** What a caller gets whose connection there is no room for. */
const REFUSAL =
  'HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n' +
  `content-length: ${Buffer.byteLength(BODY)}\r\nconnection: close\r\n\r\n${BODY}`;

/** Holds the connections of a server to their bound. */
export function boundConnections(server: Server, connections: Connections): void {
  const bySocket = new WeakMap<Socket, HttpConnection>();
  server.prependListener('connection', (socket: Socket) => {
    const connection = new HttpConnection(socket);
    if (!connections.enter(connection)) {
      socket.end(REFUSAL, () => socket.destroy());
      return;
    }
    bySocket.set(socket, connection);
    socket.once('close', () => connections.leave(connection));
  });
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = bySocket.get(request.socket);
    if (connection === undefined) return;
    connection.latest = request;
    connections.begin(connection);
    response.once('close', () => connections.end(connection));
  });
}

class HttpConnection implements Connection {
  latest: IncomingMessage | undefined;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  close(): void {
    this.#socket.destroy();
  }

  isArriving(): boolean {
    return this.latest?.complete === false;
  }
}
