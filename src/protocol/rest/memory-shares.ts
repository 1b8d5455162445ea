import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

import { ServeError } from '../../core/errors.ts';
import type { MemoryBudget, MemoryShare } from '../memory-budget.ts';

/** The share of a request that has not yet been answered. */
export type ShareOf = (request: IncomingMessage) => MemoryShare;

export type SharesOptions = {
  readonly budget: MemoryBudget;
  /** How long a caller may take nothing of its answer before the connection is cut. */
  readonly sendMsMax: number;
};

const ERROR_STATUS_MIN = 400;

/**
 * Opens a share for each request, and gives it back once the answer has left or the connection is gone. Callers that do not read
 * their answers hold memory as those do that do not end their requests, so each answer counts, for any request; refusals are
 * short, and always go out.
 */
export function openShares(app: FastifyInstance, { budget, sendMsMax }: SharesOptions): ShareOf {
  const shares = new WeakMap<IncomingMessage, MemoryShare>();
  const shareOf: ShareOf = (request) => {
    const share = shares.get(request);
    if (share === undefined) throw new Error('expected a share for each request, found none');
    return share;
  };
  app.addHook('onRequest', (request, reply, done) => {
    const share = budget.open();
    shares.set(request.raw, share);
    reply.raw.once('close', share.release);
    done();
  });
  app.addHook('onSend', async (request, reply, payload) => {
    letGoUnread(request.raw.socket, sendMsMax);
    try {
      if (reply.statusCode < ERROR_STATUS_MIN) shareOf(request.raw).take(bytesOf(payload));
      return payload;
    } catch (thrown) {
      // These headers describe the answer that is not sent.
      for (const name of ANSWER_HEADERS) reply.removeHeader(name);
      throw ServeError.from(thrown);
    }
  });
  return shareOf;
}

const ANSWER_HEADERS = ['content-encoding', 'content-type', 'inference-header-content-length'];

function bytesOf(payload: unknown): number {
  const isBytes = typeof payload === 'string' || payload instanceof Uint8Array;
  return isBytes ? Buffer.byteLength(payload) : 0;
}

/**
 * Cuts the connection once nothing moves on it for so long: otherwise an answer that is not read would be held for ever.
 * Ends with the answer, as the time between two requests has a bound of its own. An injected request has no real socket.
 */
function letGoUnread(socket: unknown, ms: number): void {
  if (socket instanceof Socket) socket.setTimeout(ms);
}
