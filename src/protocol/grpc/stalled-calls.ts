import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

export type StallOptions = {
  /** How long nothing may move. */
  readonly stallMsMax: number;
  /** Whether the method at a path takes any number of requests. */
  readonly isStream: (path: string) => boolean;
};

/**
 * Cuts calls on which nothing moves for so long though it should: a unary request that does not arrive in whole, or an answer
 * that is not read. Nobody else would ever let go of what they hold. A request that is being worked on, and a stream between two
 * messages, may be still for as long as they like. While other calls of its connection move, a call is given more time.
 *
 * Who reads nothing at all does not take the end of a call either, and a session that is destroyed waits for its last write: then
 * the connection goes too, as late again.
 */
export function cutStalledCalls(
  session: ServerHttp2Session,
  socket: Socket,
  { stallMsMax, isStream }: StallOptions,
): void {
  const cutConnectionIf = (isStuck: () => boolean): void => {
    const timer = setTimeout(() => {
      if (isStuck()) socket.destroy();
    }, stallMsMax);
    timer.unref();
  };
  session.on('stream', (call: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const mayPause = isStream(headers[':path'] ?? '');
    call.setTimeout(stallMsMax, () => {
      const isReceiving = !mayPause && !call.readableEnded;
      if (!isReceiving && call.writableLength === 0) return;
      call.close(constants.NGHTTP2_CANCEL);
      cutConnectionIf(() => !call.destroyed);
    });
    call.once('close', () => {
      if (session.destroyed) cutConnectionIf(() => !socket.destroyed);
    });
  });
}
