import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

import type { MemoryBudget, MemoryShare } from '../memory-budget.ts';

/** The share of a request that has not yet been answered. */
export type ShareOf = (request: IncomingMessage) => MemoryShare;

/** Opens a share for each request, and gives it back once the answer has left or the connection is gone. */
export function openShares(app: FastifyInstance, budget: MemoryBudget): ShareOf {
  const shares = new WeakMap<IncomingMessage, MemoryShare>();
  app.addHook('onRequest', (request, reply, done) => {
    const share = budget.open();
    shares.set(request.raw, share);
    reply.raw.once('close', share.release);
    done();
  });
  return (request) => {
    const share = shares.get(request);
    if (share === undefined) throw new Error('expected a share for each request, found none');
    return share;
  };
}
