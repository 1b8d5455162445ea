import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import { type Intake, sourceOf } from '../intake.ts';
import { onArriving } from './arriving.ts';

/** Has a connection take turns with all others in bringing messages, those of calls that were refused included. */
export function boundReading(session: ServerHttp2Session, socket: Socket, intake: Intake): void {
  const source = sourceOf(socket);
  socket.once('close', () => intake.leave(source));
  session.prependListener('stream', (stream: ServerHttp2Stream) => {
    onArriving(stream, (piece) => {
      intake.took(piece.length, source);
      return true;
    });
  });
}
