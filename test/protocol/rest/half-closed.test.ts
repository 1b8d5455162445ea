import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';

import { onAbort } from '../../../src/concurrency/cancel-token.ts';
import { aHeldHost } from '../../gateway/a-held-host.ts';
import { aGateway } from '../../gateway/builders.ts';
import { anInput, aServer, inferCall } from './builders.ts';

const CALL = inferCall({ inputs: [anInput()] });
const head = (version: string): string =>
  `POST ${CALL.url} HTTP/${version}\r\nhost: a\r\ncontent-length: ${CALL.payload.length}\r\n\r\n`;

async function aHeldServer(t: Test) {
  const { host, first } = aHeldHost();
  const gateway = aGateway({ hosts: { '1': host } });
  const server = aServer({ gateway });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  return { port, gateway, first };
}

/** Sends bytes and the end of all that it will send; resolves with what came back when the other side closes. */
function sendAndShut(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setEncoding('latin1');
    socket.end(bytes);
    socket.on('data', (piece) => {
      text += String(piece);
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

for (const version of ['1.1', '1.0']) {
  t.test(`a caller of HTTP/${version} that shuts its sending half gets its answer`, async (t) => {
    const server = aServer();
    t.teardown(() => server.close());
    const { port } = await server.listen('127.0.0.1', 0);
    const answer = await sendAndShut(port, head(version) + CALL.payload);
    t.match(answer, /^HTTP\/1.1 200 .*"model_name":"m"/s);
  });
}

t.test('it waits for a slow answer too, past interim ones', async (t) => {
  const { port, first } = await aHeldServer(t);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.setEncoding('latin1').end(head('1.1') + CALL.payload);
  const { signal, answer } = await first;
  let text = '';
  let wasAborted: boolean | undefined;
  socket.on('data', (piece) => {
    text += String(piece);
    // The second is what would have met a closed connection.
    if (!/(100 Continue.*){2}/s.test(text)) return;
    wasAborted ??= signal.aborted;
    answer();
  });
  await once(socket, 'end');
  t.match(text, /^(HTTP\/1.1 100 Continue\r\n\r\n)+HTTP\/1.1 200 .*"model_name":"m"/s);
  t.equal(wasAborted, false);
});

t.test('requests sent behind one another before the end are all answered', async (t) => {
  const server = aServer();
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const answers = await sendAndShut(port, (head('1.1') + CALL.payload).repeat(3));
  t.equal(answers.match(/HTTP\/1.1 200 /g)?.length, 3);
});

t.test('an end in the middle of a body is refused', async (t) => {
  const server = aServer();
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const answer = await sendAndShut(port, (head('1.1') + CALL.payload).slice(0, -1));
  t.match(answer, /^HTTP\/1.1 400 /);
});

t.test('a caller that shuts its half and goes away later is found gone', async (t) => {
  const { port, gateway, first } = await aHeldServer(t);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(head('1.1') + CALL.payload);
  const { signal } = await first;
  await once(socket, 'data');
  t.equal(signal.aborted, false);
  const aborted = new Promise<void>((resolve) => onAbort(signal, resolve));
  socket.destroy();
  await aborted;
  await turn();
  t.equal(gateway.inFlight(), 0);
});
