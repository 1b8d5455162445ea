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
 * Aborted once the connection is closed: whoever still works for a request on it works for nobody. One signal serves all
 * requests of a connection, which is cheaper than one each; so whoever listens to it must stop listening once done.
 *
 * A caller that only shut down its sending half waits for its answer (RFC 9112, 9.6), and one that closed its socket looks the
 * same until it is sent something. So both are sent `100 Continue`, which every client of HTTP/1.1 skips: where nobody is
 * there, the system refuses it, and the write after that closes the connection.
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

/** False where the answer itself shows whether anybody reads it: it is on its way, or nothing may come before it. */
function probe(response: ServerResponse): boolean {
  if (response.headersSent || response.req.httpVersion !== '1.1') return false;
  if (response.socket !== null) response.writeContinue();
  return true;
}
