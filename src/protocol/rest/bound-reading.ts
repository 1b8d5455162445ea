import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

import { type Intake, type Source, sourceOf } from '../intake.ts';

/** Smaller bodies come with the header, or in one read more. */
const BODY_BYTES_FREE = 65_536;

/** Has the connections of a server take turns in bringing large bodies, those that were refused and are thrown away included. */
export function boundReading(server: Server, intake: Intake): void {
  const sources = new WeakMap<Socket, Source>();
  server.prependListener('request', (request: IncomingMessage) => {
    if (isSmall(request)) return;
    const { socket } = request;
    const source = sources.get(socket) ?? open(socket);
    sources.set(socket, source);
    const push = request.push.bind(request);
    request.push = (piece, ...rest) => {
      if (piece !== null) intake.took(piece.length, source);
      return push(piece, ...rest);
    };
  });
  const open = (socket: Socket): Source => {
    const source = sourceOf(socket);
    socket.once('close', () => intake.leave(source));
    return source;
  };
}

function isSmall({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return false;
  return Number(headers['content-length'] ?? 0) <= BODY_BYTES_FREE;
}
