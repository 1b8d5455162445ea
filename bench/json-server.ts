/**
 * The limit that JSON of floats is compared with: a bare fastify route with the usual code,
 * JSON.parse and Float32Array.from, checks that there are as many floats as the shape says, and answers the first of them.
 * It runs no model, and takes any value for a number. Started with `fork`; watches its own event loop.
 */
import Fastify from 'fastify';
import { obeyGapsOrders } from './loop-gaps.ts';

type Request = {
  readonly inputs: readonly { readonly shape: readonly number[]; readonly data: number[] }[];
};

const server = Fastify({ bodyLimit: 64 * 1024 * 1024 });
server.removeAllContentTypeParsers();
server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
  done(null, body),
);
server.post('/infer', (request, reply) => {
  const { inputs } = JSON.parse(request.body as string) as Request;
  const { shape = [], data = [] } = inputs[0] ?? {};
  const floats = Float32Array.from(data);
  if (floats.length !== shape.reduce((product, size) => product * size, 1)) {
    return reply.code(400).send({ error: 'unexpected number of elements' });
  }
  const output = { name: 'y', datatype: 'FP32', shape: [1, 1], data: [floats[0]] };
  return reply.send({ model_name: 'large', model_version: '1', outputs: [output] });
});
await server.listen({ host: '127.0.0.1', port: 0 });
const [address] = server.addresses();
if (typeof address !== 'object') throw new Error('the JSON server has no port');
obeyGapsOrders(address.port);
