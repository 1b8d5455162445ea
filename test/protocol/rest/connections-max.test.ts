import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';

import { aHeldHost } from '../../gateway/a-held-host.ts';
import { aGateway } from '../../gateway/builders.ts';
import { anInput, aServer, inferCall, LIMITS, type ServerParts } from './builders.ts';

const CALL = inferCall({ inputs: [anInput()] });
const REQUEST = `POST ${CALL.url} HTTP/1.1\r\nhost: a\r\ncontent-length: ${CALL.payload.length}\r\n\r\n${CALL.payload}`;

async function aFullServer(t: Test, connectionsMax: number, parts: ServerParts = {}) {
  const server = aServer({ limits: { ...LIMITS, connectionsMax }, ...parts });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const connected = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    const accepted = once(server.app.server, 'connection');
    await Promise.all([once(socket, 'connect'), accepted]);
    return socket;
  };
  return { connected };
}

async function answerTo(socket: Socket, request: string): Promise<string> {
  if (request !== '') socket.write(request);
  return String((await once(socket, 'data'))[0]);
}

t.test('a new connection is served, and the one that is idle longest is closed', async (t) => {
  const { connected } = await aFullServer(t, 3);
  const [first, second, third] = [await connected(), await connected(), await connected()];
  t.match(await answerTo(first, REQUEST), /^HTTP\/1.1 200 /);
  const closed = once(second, 'close');
  t.match(await answerTo(await connected(), REQUEST), /^HTTP\/1.1 200 /);
  await closed;
  t.match(await answerTo(first, REQUEST), /^HTTP\/1.1 200 /, 'used since');
  t.match(await answerTo(third, REQUEST), /^HTTP\/1.1 200 /);
});

t.test('where all connections are at work a new one is refused', async (t) => {
  const { host, first } = aHeldHost();
  const { connected } = await aFullServer(t, 1, { gateway: aGateway({ hosts: { '1': host } }) });
  const busy = await connected();
  busy.write(REQUEST);
  await first;
  const refused = await answerTo(await connected(), '');
  t.match(refused, /^HTTP\/1.1 503 [\s\S]*retry-after: 1[\s\S]*server.connectionsMax/);
  t.notOk(busy.destroyed);
});
