/**
 * The limit that the gateway is held against: a bare fastify route that gives a binary body back, and one that gives little
 * back. Started with `fork`; sends its port, and on demand runs a model in a worker thread at full speed, next to the routes.
 */
import { Worker } from 'node:worker_threads';
import Fastify from 'fastify';
import type { EchoNews, EchoOrder } from './echo-message.ts';

/** About as much as a gateway says of a model with one output. */
const FEW_BYTES = Buffer.alloc(160, 1);

const server = Fastify({ bodyLimit: 64 * 1024 * 1024 });
server.addContentTypeParser(
  'application/octet-stream',
  { parseAs: 'buffer' },
  (_request, body, done) => done(null, body),
);
server.post('/take', (_request, reply) => reply.type('application/octet-stream').send(FEW_BYTES));
server.post('/echo', (request, reply) => reply.type('application/octet-stream').send(request.body));
await server.listen({ host: '127.0.0.1', port: 0 });
const [address] = server.addresses();
if (typeof address !== 'object') throw new Error('the echo server has no port');
send({ kind: 'listening', port: address.port });

let worker: Worker | undefined;
process.on('message', (order: EchoOrder) => {
  if (order.kind === 'run') {
    worker?.postMessage(order.durationMs);
    return;
  }
  worker = new Worker(new URL('./bare-run.js', import.meta.url), { workerData: order.file });
  worker.on('message', send);
});
// The bench is gone.
process.on('disconnect', () => process.exit());

function send(news: EchoNews): void {
  process.send?.(news);
}
