/**
 * The limit that the gateway is held against: a bare fastify route that gives a binary body back. Started with `fork`; tells
 * its port, and with `{ kind: 'run' }` also runs a model in a worker thread, as fast as it goes, until the time is over.
 */
import { Worker } from 'node:worker_threads';
import Fastify from 'fastify';

export type EchoOrder = {
  readonly kind: 'run';
  readonly file: string;
  readonly rows: number;
  readonly durationMs: number;
};

export type EchoNews =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'ran'; readonly runsPerSecond: number };

const server = Fastify({ bodyLimit: 64 * 1024 * 1024 });
server.addContentTypeParser(
  'application/octet-stream',
  { parseAs: 'buffer' },
  (_request, body, done) => done(null, body),
);
server.post('/echo', (request, reply) => reply.type('application/octet-stream').send(request.body));
await server.listen({ host: '127.0.0.1', port: 0 });
const [address] = server.addresses();
if (typeof address !== 'object') throw new Error('the echo server has no port');
tell({ kind: 'listening', port: address.port });

process.on('message', (order: EchoOrder) => {
  const worker = new Worker(new URL('./bare-run.js', import.meta.url), { workerData: order });
  worker.once('message', (runsPerSecond: number) => tell({ kind: 'ran', runsPerSecond }));
});
process.on('disconnect', () => process.exit());

function tell(news: EchoNews): void {
  process.send?.(news);
}
