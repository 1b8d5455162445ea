import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { answersOwed } from './bound-pipelines.ts';

/** A connection, and the answer that was asked for last on it. */
type Connection = { readonly controller: AbortController; response: ServerResponse };

/** From the end of what the caller sends to the first probe, doubled for each further one. Most answers are there before. */
const PROBE_MS = 50;
const PROBE_MS_MAX = 1_600;

const connections = new WeakMap<Socket, Connection>();

/**
 * Aborted once the connection is closed: work for its requests has no receiver any more. One signal serves all
 * requests of a connection, which is cheaper than one each; so a listener must be removed once done.
 *
 * A client that half-closed its connection waits for its answer (RFC 9112, 9.6), and one that closed it altogether looks the
 * same until something is sent. So both are sent `100 Continue`, which every client of HTTP/1.1 ignores: where the client is gone,
 * its system answers with a reset, and the write after that closes the connection.
 */
export function connectionSignal(socket: Socket, response: ServerResponse): AbortSignal {
  let connection = connections.get(socket);
  if (connection === undefined) {
    connection = openConnection(socket, response);
    connections.set(socket, connection);
  }
  connection.response = response;
  return connection.controller.signal;
}

function openConnection(socket: Socket, response: ServerResponse): Connection {
  const connection = { controller: new AbortController(), response };
  if (socket.destroyed) {
    connection.controller.abort();
    return connection;
  }
  let timer: NodeJS.Timeout | undefined;
  const probeAfter = (delayMs: number): void => {
    timer = setTimeout(() => {
      const [first = connection.response] = answersOwed(socket);
      const isLast = answersOwed(socket).size <= 1;
      if (!probe(first) && isLast) return;
      probeAfter(Math.min(delayMs * 2, PROBE_MS_MAX));
    }, delayMs);
  };
  const begin = (): void => probeAfter(PROBE_MS);
  if (socket.readableEnded) begin();
  else socket.once('end', begin);
  socket.once('close', () => {
    clearTimeout(timer);
    connection.controller.abort();
  });
  return connection;
}

/** False where the answer itself shows whether the client reads it: it is on its way, or nothing may come before it. */
function probe(response: ServerResponse): boolean {
  if (response.headersSent || response.req.httpVersion !== '1.1') return false;
  if (response.socket !== null) response.writeContinue();
  return true;
}
