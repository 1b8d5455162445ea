import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

import { MessageEnds, onArriving } from './arriving.ts';

export type StallOptions = {
  /** How long one message may take to arrive in whole, and how long nothing of an answer may move. */
  readonly stallMsMax: number;
  /** Whether the method at a path takes any number of requests. */
  readonly isStream: (path: string) => boolean;
};

/**
 * Cuts calls that do not come to an end: a message that does not arrive in whole, however steadily it drips, or an answer that is
 * not read. Otherwise what they hold would never be released. A request that is being worked on, and a stream between two
 * messages or one that the server itself does not read on, may be still for as long as they like.
 *
 * Who reads nothing at all does not take the end of a call either, and a session that is destroyed waits for its last write: then
 * the connection goes too, as late again.
 */
export function cutStalledCalls(
  session: ServerHttp2Session,
  socket: Socket,
  { stallMsMax, isStream }: StallOptions,
): void {
  const end = new SocketEnd(socket, stallMsMax);
  const cut = (call: ServerHttp2Stream): void => {
    call.close(constants.NGHTTP2_CANCEL);
    const timer = setTimeout(() => {
      if (!call.destroyed) socket.destroy();
    }, stallMsMax).unref();
    call.once('close', () => clearTimeout(timer));
  };
  session.prependListener('stream', (call: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const mayPause = isStream(headers[':path'] ?? '');
    const cutIfReceiving = (): void => {
      if (!call.readableEnded) cut(call);
    };
    const late = mayPause ? undefined : setTimeout(cutIfReceiving, stallMsMax).unref();
    if (mayPause) cutHalfMessages(call, stallMsMax, () => cut(call));
    call.setTimeout(stallMsMax, () => {
      if (call.writableLength > 0) cut(call);
    });
    call.once('close', () => {
      clearTimeout(late);
      if (session.destroyed) end.expect();
    });
  });
}

/** Destroys the socket of a session that has ended, if it does not end by itself. Holds no call: a call holds all that it did not read. */
class SocketEnd {
  readonly #socket: Socket;
  readonly #msMax: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, msMax: number) {
    this.#socket = socket;
    this.#msMax = msMax;
    socket.once('close', () => clearTimeout(this.#timer));
  }

  expect(): void {
    if (this.#socket.destroyed) return;
    this.#timer ??= setTimeout(() => this.#socket.destroy(), this.#msMax).unref();
  }
}

/** Of a stream: each message has the same time, from its first byte. */
function cutHalfMessages(call: ServerHttp2Stream, stallMsMax: number, cut: () => void): void {
  const messages = new MessageEnds();
  let timer: NodeJS.Timeout | undefined;
  let timed = -1;
  const wait = (): void => {
    timer = setTimeout(() => {
      // What the server does not read cannot arrive.
      if (call.isPaused()) wait();
      else cut();
    }, stallMsMax).unref();
  };
  onArriving(call, (piece) => {
    messages.add(piece);
    if (!messages.isWithin || messages.count !== timed) clearTimeout(timer);
    if (messages.isWithin && messages.count !== timed) {
      timed = messages.count;
      wait();
    }
    return true;
  });
  call.once('close', () => clearTimeout(timer));
}
