/** What bounds a connection of HTTP and gRPC bounds it over TLS as well. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';

import { aHeldHost } from '../gateway/a-held-host.ts';
import { aGateway } from '../gateway/builders.ts';
import { aConversation } from '../protocol/grpc/builders.ts';
import {
  anInput,
  aServer,
  inferCall,
  LIMITS,
  type ServerParts,
} from '../protocol/rest/builders.ts';
import { mostBytesInATurn } from '../protocol/turn-bytes.ts';
import { Authority } from '../support/certificates.ts';
import { GRPC_FLOODS } from '../support/floods.ts';
import { read, secured } from './builders.ts';

const CALL = inferCall({ inputs: [anInput()] });
const REQUEST = `POST ${CALL.url} HTTP/1.1\r\nhost: a\r\ncontent-length: ${CALL.payload.length}\r\n\r\n${CALL.payload}`;

async function aRestServer(t: Test, parts: ServerParts = {}) {
  const authority = await Authority.open(t);
  const { secure, connected } = await secured(t, authority);
  const server = aServer(parts);
  secure(server.app.server);
  const { port } = await server.listen('127.0.0.1', 0);
  t.teardown(() => {
    server.app.server.closeAllConnections();
    return server.close();
  });
  return { port, connected: () => connected(port), ca: await authority.ca() };
}

async function answerTo(socket: TLSSocket, request: string): Promise<string> {
  if (request !== '') socket.write(request);
  return String((await once(socket, 'data'))[0]);
}

/** A port without TLS that leads to one with it, for clients that have none. */
async function aTunnel(t: Test, port: number, ca: string): Promise<number> {
  const pairs = new Set<Socket>();
  const front = createServer((socket) => {
    const secure = connect({ port, host: '127.0.0.1', ca, ALPNProtocols: ['http/1.1'] });
    for (const [one, other] of [
      [socket, secure],
      [secure, socket],
    ] as const) {
      pairs.add(one);
      one.on('error', () => undefined).once('close', () => other.destroy());
      one.pipe(other);
    }
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  t.teardown(() => {
    front.close();
    for (const socket of pairs) socket.destroy();
  });
  const address = front.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

t.test('a connection that is used stays, and the one that is idle longest goes', async (t) => {
  const { connected } = await aRestServer(t, { limits: { ...LIMITS, connectionsMax: 2 } });
  const [first, second] = [await connected(), await connected()];
  t.match(await answerTo(first, REQUEST), /^HTTP\/1.1 200 /);
  const closed = once(second, 'close');
  t.match(await answerTo(await connected(), REQUEST), /^HTTP\/1.1 200 /);
  await closed;
  t.match(await answerTo(first, REQUEST), /^HTTP\/1.1 200 /);
});

t.test('where all are at work, a new one is refused over TLS', async (t) => {
  const { host, first } = aHeldHost();
  const gateway = aGateway({ hosts: { '1': host } });
  const { connected } = await aRestServer(t, { gateway, limits: { ...LIMITS, connectionsMax: 1 } });
  const busy = await connected();
  busy.write(REQUEST);
  await first;
  t.match(await answerTo(await connected(), ''), /^HTTP\/1.1 503 [\s\S]*server.connectionsMax/);
  t.notOk(busy.destroyed);
});

t.test('requests that are sent ahead by the thousand end their connection', async (t) => {
  const { connected } = await aRestServer(t);
  const socket = await connected();
  socket.write('GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2_000));
  const answers = (await read(socket)).match(/HTTP\/1.1 200 /g)?.length ?? 0;
  t.ok(answers <= 16, `${answers} were answered`);
});

t.test('large bodies leave room in each turn for others', async (t) => {
  const { port, ca } = await aRestServer(t, { limits: { ...LIMITS, bodyBytesMax: 100_000_000 } });
  const httpPort = await aTunnel(t, port, ca);
  const order = { name: 'unfinished bodies', connections: 12, httpPort, grpcPort: 0 };
  const most = await mostBytesInATurn(t, order);
  t.ok(most <= 2 * (262_144 + 2 * 12 * 65_536), `${most} bytes in one turn, over both hops`);
});

t.test('a flood of pings ends its connection', async (t) => {
  const authority = await Authority.open(t);
  const { secure, connected } = await secured(t, authority, { protocol: 'h2' });
  const { port } = await aConversation(t, { secure });
  const socket = await connected(port);
  const { pings } = GRPC_FLOODS;
  if (pings === undefined) throw new Error('expected a flood of pings');
  const { first, next } = pings;
  socket.write(first);
  let [sent, isOver] = [0, false];
  socket.resume().once('close', () => {
    isOver = true;
  });
  while (!isOver) {
    const block = Buffer.concat(Array.from({ length: 500 }, (_, at) => next(sent + at)));
    socket.write(block);
    sent += 500;
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(sent < 200_000, `cut after ${sent} pings`);
});
