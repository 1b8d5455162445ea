import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';

import { BACKLOG } from '../connections.ts';
import { serverInternals } from './library-internals.ts';

/** Bytes that a caller may send of one request, and of all on its connection, before it hears that more are welcome. */
const STREAM_WINDOW_BYTES = 4 * 1_024 * 1_024;
const CONNECTION_WINDOW_BYTES = 16 * 1_024 * 1_024;

export type SessionOptions = {
  /** Bytes of the metadata of one call, with 32 more for each entry, as HTTP/2 counts. Beyond: the call is reset. */
  readonly headerBytesMax: number;
  readonly onSession: (session: ServerHttp2Session, socket: Socket) => void;
  /** Gets the server before it listens, with all its listeners. */
  readonly secure?: ((server: Http2Server) => void) | undefined;
};

/**
 * Widens the windows of HTTP/2 from 64 KiB: tensors of half a megabyte otherwise wait for a round trip for each tenth of
 * themselves, which halves the throughput. The library has an option for it that only its client reads, so this one server (and
 * no other user of HTTP/2 in this process) is given it from outside, before it listens. The same way lead its sessions to
 * `onSession`, where what one connection may do is bounded.
 *
 * @throws Error where the library looks different inside.
 */
export function widenWindows(
  server: Server,
  { headerBytesMax, onSession, secure }: SessionOptions,
): void {
  const inside = serverInternals(server);
  const create = inside.createHttp2Server;
  inside.commonServerOptions.settings = {
    ...inside.commonServerOptions.settings,
    initialWindowSize: STREAM_WINDOW_BYTES,
    maxHeaderListSize: headerBytesMax,
  };
  inside.createHttp2Server = (credentials) => {
    const http2 = create.call(server, credentials);
    waitLonger(http2);
    http2.prependListener('connection', (socket) => {
      // A connection becomes a session before this event is over; the session itself hides its socket.
      http2.once('session', (session) => {
        session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
        onSession(session, socket);
      });
    });
    secure?.(http2);
    return http2;
  };
}

/** As many connections may wait to be accepted as over HTTP; the library leaves that to Node. */
function waitLonger(http2: Http2Server): void {
  const listen = http2.listen.bind(http2) as (address: object, onListening: () => void) => unknown;
  const withBacklog = (address: object, onListening: () => void): unknown =>
    listen({ ...address, backlog: BACKLOG }, onListening);
  Object.assign(http2, { listen: withBacklog });
}
