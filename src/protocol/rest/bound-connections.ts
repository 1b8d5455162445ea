import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Connection, Connections } from '../connections.ts';

/** What a caller gets whose connection there is no room for. */
function refusal(limit: string): string {
  const body = JSON.stringify({
    error: `too many connections, and all of them are at work: expected at most ${limit}. Retry later`,
    code: 'overloaded',
  });
  return (
    'HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n' +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  );
}

/**
 * Holds the connections of a server to their bound.
 * @param limit The bound, as a refusal names it.
 */
export function boundConnections(
  server: Server,
  connections: Connections,
  limit = 'server.connectionsMax',
): void {
  const answer = refusal(limit);
  const bySocket = new WeakMap<Socket, HttpConnection>();
  server.prependListener('connection', (socket: Socket) => {
    const connection = new HttpConnection(socket);
    if (!connections.enter(connection)) {
      socket.end(answer, () => socket.destroy());
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
