import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';

/**
 * Cuts calls on which nothing moves for so long though it should: a unary request that does not arrive in whole, or an answer
 * that is not read. Nobody else would ever let go of what they hold. A request that is being worked on, and a stream between two
 * messages, may be still for as long as they like.
 */
export function cutStalledCalls(
  session: ServerHttp2Session,
  { stallMsMax, isStream }: { stallMsMax: number; isStream: (path: string) => boolean },
): void {
  session.on('stream', (call: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const mayPause = isStream(headers[':path'] ?? '');
    call.setTimeout(stallMsMax, () => {
      const isReceiving = !mayPause && !call.readableEnded;
      if (isReceiving || call.writableLength > 0) call.close(constants.NGHTTP2_CANCEL);
    });
  });
}
