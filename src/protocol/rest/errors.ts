import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

import { ServeError } from '../../core/errors.ts';
import { callerIdOf, REQUEST_ID } from '../caller-id.ts';
import { ENCODINGS_SERVED } from './body-encoding.ts';
import { headersOf } from './decode.ts';
import { errorBodyOf, errorHeadersOf, HTTP_STATUS } from './status.ts';

export type ErrorOptions = {
  readonly draining: () => boolean;
  readonly headerBytesMax: number;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** Turns anything thrown in a route into the protocol's error. */
export function createErrorHandler({ draining, onInternalError }: ErrorOptions) {
  return (thrown: FastifyError | ServeError, http: FastifyRequest, reply: FastifyReply): void => {
    const error = serveErrorOf(thrown);
    // What the gateway threw as `internal` it has reported itself.
    if (!(thrown instanceof ServeError) && error.code === 'internal') {
      onInternalError('rest', thrown);
    }
    const id = callerIdOf(headersOf(http.headers));
    if (id !== undefined) reply.header(REQUEST_ID, id);
    reply.headers(errorHeadersOf(error));
    if (error.code === 'unsupported' && http.headers['content-encoding'] !== undefined) {
      reply.header('accept-encoding', ENCODINGS_SERVED);
    }
    // The rest of an oversized body is not worth reading, and a stopping server wants its connections back.
    const isUnread = error.code === 'too_large' || error.code === 'memory_full';
    if (isUnread || draining()) reply.header('connection', 'close');
    reply.code(HTTP_STATUS[error.code]).send(errorBodyOf(error));
  };
}

/** Fastify's own refusals (a bad URL, a bad content type) are the caller's doing. */
function serveErrorOf(thrown: FastifyError | ServeError): ServeError {
  if (thrown instanceof ServeError) return thrown;
  const status = thrown.statusCode ?? 500;
  return ServeError.from(thrown, status >= 400 && status < 500 ? 'invalid_input' : 'internal');
}

export function notFound(_: FastifyRequest, reply: FastifyReply): void {
  reply.code(404).send({ error: 'Not Found' });
}

/** Answers a known path that was called with a verb it does not know. */
export function createMethodNotAllowed(allowed: readonly string[]) {
  const allow = allowed.join(', ');
  return async (http: FastifyRequest, reply: FastifyReply): Promise<{ error: string }> => {
    reply.code(405).header('allow', allow);
    return { error: `Method Not Allowed: expected ${allow}, found ${http.method}` };
  };
}

/** Answers what was not even HTTP, or whose header is over the limit, on the bare socket. */
export function createClientErrorHandler({ headerBytesMax }: Pick<ErrorOptions, 'headerBytesMax'>) {
  return (thrown: Error & { readonly code?: string }, socket: Socket): void => {
    if (!socket.writable || thrown.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [status, error] = refusalOf(thrown, headerBytesMax);
    const body = JSON.stringify({ error });
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  };
}

function refusalOf(
  thrown: Error & { readonly code?: string },
  headerBytesMax: number,
): [number, string] {
  switch (thrown.code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        431,
        `request header is over the limit: expected at most ${headerBytesMax} bytes, found more`,
      ];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'expected the whole request in time, found only a part of it'];
    default:
      return [400, `expected an HTTP/1.1 request, found: ${thrown.message}`];
  }
}
