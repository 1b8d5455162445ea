import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

import { MessageEnds, onArriving } from './arriving.ts';

/** DATA frames of one message that may be of any size. */
const FRAMES_FREE = 1_024;

/** Beyond those, what they hold on average at least: each is an object of its own until the message has arrived in whole. */
const FRAME_BYTES_MIN = 512;

/** Frames of a stream that were not read yet, where small messages come faster than they are taken. */
const UNREAD_FREE = 65_536;
const UNREAD_BYTES_MIN = 64;

/** Pings of one connection in a second. Clients that measure their line send one for each round trip. */
const PINGS_MAX = 10_000;
const PINGS_MS = 1_000;

/**
 * Ends connections that send messages in crumbs: a megabyte in frames of a byte each would be a hundred megabytes of memory, and
 * a second of work. No client does that, as HTTP/2 gives it room for kilobytes at a time. Pings are bounded here too: the library of
 * HTTP/2 bounds those of one read, and the reads of TLS are too short for that. Other floods (settings, empty frames, continuations,
 * resets) are bounded by the library itself.
 */
export function boundFrames(session: ServerHttp2Session): void {
  boundPings(session);
  session.prependListener('stream', (stream: ServerHttp2Stream) => {
    const frames = new FrameCount();
    onArriving(stream, (piece) => {
      if (frames.add(piece, stream.readableLength)) return true;
      session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return false;
    });
  });
}

function boundPings(session: ServerHttp2Session): void {
  let pings = 0;
  const forget = (): void => {
    pings = 0;
  };
  session.on('ping', () => {
    if (pings === 0) setTimeout(forget, PINGS_MS).unref();
    pings += 1;
    if (pings > PINGS_MAX) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
}

class FrameCount {
  readonly #ends = new MessageEnds();
  #frames = 0;
  #bytes = 0;
  #unread = 0;

  /** False once there have been too many for their bytes. */
  add(piece: Uint8Array, unreadBytes: number): boolean {
    const messages = this.#ends.count;
    this.#ends.add(piece);
    if (this.#ends.count > messages) {
      this.#frames = 0;
      this.#bytes = 0;
    }
    this.#frames += 1;
    this.#bytes += piece.byteLength;
    this.#unread = unreadBytes === 0 ? 1 : this.#unread + 1;
    return (
      this.#frames <= FRAMES_FREE + this.#bytes / FRAME_BYTES_MIN &&
      this.#unread <= UNREAD_FREE + unreadBytes / UNREAD_BYTES_MIN
    );
  }
}
