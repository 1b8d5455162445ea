import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

export type StallOptions = {
  /** How long a unary request may take to arrive in whole, and how long nothing of an answer may move. */
  readonly stallMsMax: number;
  /** Whether the method at a path takes any number of requests. */
  readonly isStream: (path: string) => boolean;
};

/**
 * Cuts calls that do not come to an end: a unary request that does not arrive in whole, not even a byte at a time, or an answer
 * that is not read. Nobody else would ever let go of what they hold. A request that is being worked on, and a stream between two
 * messages, may be still for as long as they like.
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
  const cut = (call: ServerHttp2Stream): void => {
    call.close(constants.NGHTTP2_CANCEL);
    cutConnectionIf(() => !call.destroyed);
  };
  session.on('stream', (call: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const mayPause = isStream(headers[':path'] ?? '');
    const cutIfReceiving = (): void => {
      if (!call.readableEnded) cut(call);
    };
    const late = mayPause ? undefined : setTimeout(cutIfReceiving, stallMsMax).unref();
    call.setTimeout(stallMsMax, () => {
      if (call.writableLength > 0) cut(call);
    });
    call.once('close', () => {
      clearTimeout(late);
      if (session.destroyed) cutConnectionIf(() => !socket.destroyed);
    });
  });
}
