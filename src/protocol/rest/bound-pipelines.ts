import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Requests that a connection may have sent ahead of their answers. A thousand small ones arrive in one read, and would all be begun
 * before other connections are served. Hardly any client sends even two.
 */
const AHEAD_MAX = 16;

/** Answers that are owed, the one whose turn it is first. */
const owed = new WeakMap<Socket, Set<ServerResponse>>();

/** The answers that a connection still waits for; the first of them is the only one that can be written to. */
export function answersOwed(socket: Socket): ReadonlySet<ServerResponse> {
  return owed.get(socket) ?? NONE;
}

const NONE: ReadonlySet<ServerResponse> = new Set();

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Cuts connections that send too many requests ahead, and ends the answers that still wait for those before them when their
 * connection goes: Node ends only the first. Has to be called once the server's own listener is there.
 */
export function boundPipelines(server: Server): void {
  const listeners = server.listeners('request') as unknown as readonly Listener[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const waiting = owed.get(socket) ?? openWaiting(socket);
    if (waiting.size >= AHEAD_MAX) {
      socket.destroy();
      return;
    }
    waiting.add(response);
    response.once('close', () => waiting.delete(response));
    for (const listener of listeners) listener.call(server, request, response);
  });
}

function openWaiting(socket: Socket): Set<ServerResponse> {
  const waiting = new Set<ServerResponse>();
  owed.set(socket, waiting);
  socket.once('close', () => {
    // Node's own listeners come first.
    setImmediate(() => {
      for (const response of waiting) response.emit('close');
    });
  });
  return waiting;
}
