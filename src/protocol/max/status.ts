import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

import { ServeError } from '../../core/errors.ts';
import { errorHeadersOf, HTTP_STATUS } from '../rest/status.ts';
import { jsonBytes, sendJson } from './encode.ts';

/** The help text of the image field, which the error for a missing image repeats. */
export const IMAGE_HELP = 'An image file: JPEG, PNG, TIFF, WebP, GIF or AVIF';

/** What a client gets that sends no image: the shape that its framework has for arguments that are missing. */
export const IMAGE_MISSING = jsonBytes({
  errors: { image: `${IMAGE_HELP} Missing required parameter in an uploaded file` },
  message: 'Input payload validation failed',
});

export type ErrorOptions = {
  readonly draining: () => boolean;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** Turns anything thrown in a route into `{"message": ...}`, with the statuses of the other routes. */
export function createErrorHandler({ draining, onInternalError }: ErrorOptions) {
  return (thrown: FastifyError | ServeError, _: FastifyRequest, reply: FastifyReply): void => {
    const error = serveErrorOf(thrown);
    const { code } = error;
    // What the gateway threw as `internal` it has reported itself.
    if (code === 'internal' && !(thrown instanceof ServeError)) onInternalError('max', thrown);
    reply.headers(errorHeadersOf(error));
    // The rest of an oversized body is not worth reading, and a stopping server wants its connections back.
    const isUnread = code === 'too_large' || code === 'memory_full';
    if (isUnread || draining()) reply.header('connection', 'close');
    const message = code === 'internal' ? 'Internal Server Error' : error.message;
    sendJson(reply.code(HTTP_STATUS[code]), jsonBytes({ message }));
  };
}

/** Fastify's own refusals are the caller's doing. */
function serveErrorOf(thrown: FastifyError | ServeError): ServeError {
  if (thrown instanceof ServeError) return thrown;
  const status = thrown.statusCode ?? 500;
  return ServeError.from(thrown, status >= 400 && status < 500 ? 'invalid_input' : 'internal');
}

/** Answers a known path that was called with a verb it does not know. */
export function createMethodNotAllowed(allowed: readonly string[]) {
  const body = jsonBytes({ message: 'The method is not allowed for the requested URL.' });
  return (_: FastifyRequest, reply: FastifyReply): void => {
    sendJson(reply.code(405).header('allow', allowed.join(', ')), body);
  };
}
