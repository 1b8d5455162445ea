import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';

import { onAbort } from '../../../src/concurrency/cancel-token.ts';
import type { ServingHost } from '../../../src/gateway/gateway.ts';
import { aHeldHost } from '../../gateway/a-held-host.ts';
import { aGateway, echoHost } from '../../gateway/builders.ts';
import { anInput, aServer, inferCall, LIMITS } from './builders.ts';

const GOOD = inferCall({ inputs: [anInput()] });
const GOOD_BYTES = `POST ${GOOD.url} HTTP/1.1\r\nhost: a\r\ncontent-length: ${GOOD.payload.length}\r\n\r\n${GOOD.payload}`;

/** Reads until the text has come. */
async function until(socket: Socket, text: RegExp): Promise<string> {
  let seen = '';
  while (!text.test(seen)) seen += String((await once(socket, 'data'))[0]);
  return seen;
}

/** Sends bytes on a new connection and collects all that comes back until the other side closes. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('latin1');
    socket.on('data', (piece) => {
      text += String(piece);
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

t.test('what is not HTTP, or has too long a header, is refused on a real socket', async (t) => {
  const server = aServer();
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const huge = await exchange(
    port,
    `GET /v2 HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(9_000)}\r\n\r\n`,
  );
  t.match(huge, /^HTTP\/1.1 431 .*expected at most 8192 bytes, found more/s);
  const noise = await exchange(port, 'hello\r\n\r\n');
  t.match(noise, /^HTTP\/1.1 400 .*expected an HTTP\/1.1 request/s);
  const oversized = await exchange(
    port,
    'POST /v2/models/m/infer HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n\r\n',
  );
  t.match(oversized, /^HTTP\/1.1 413 .*expected at most 100000 bytes, found 200000/s);
  const chunked = await exchange(
    port,
    `POST /v2/models/m/infer HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n20000\r\n${'x'.repeat(131_072)}\r\n0\r\n\r\n`,
  );
  t.match(chunked, /^HTTP\/1.1 413 .*found \d+ or more/s);
  t.equal((await server.app.inject(GOOD)).statusCode, 200);
});

t.test('a caller who hangs up aborts the request', async (t) => {
  const { host, first } = aHeldHost();
  const gateway = aGateway({ hosts: { '1': host } });
  const server = aServer({ gateway });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const socket = connect(port, '127.0.0.1', () => socket.write(GOOD_BYTES));
  const { signal } = await first;
  t.equal(signal.aborted, false);
  const aborted = new Promise<void>((resolve) => onAbort(signal, resolve));
  socket.destroy();
  await aborted;
  await turn();
  t.equal(gateway.inFlight(), 0);
});

t.test('requests of one connection follow each other, bad ones between good ones', async (t) => {
  const server = aServer();
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const bad = GOOD_BYTES.replace('/m/', '/q/');
  for (const [bytes, status] of [
    [GOOD_BYTES, 200],
    [bad, 404],
    [GOOD_BYTES, 200],
  ] as const) {
    socket.write(bytes);
    t.match(await until(socket, /\}$/), new RegExp(`^HTTP/1.1 ${status} `));
  }
});

t.test('a stopping server answers what is in flight, refuses the rest and lets go', async (t) => {
  const { host, first } = aHeldHost();
  const gateway = aGateway({ hosts: { '1': host } });
  const server = aServer({ gateway });
  const { port } = await server.listen('127.0.0.1', 0);
  const socket = connect(port, '127.0.0.1', () => socket.write(GOOD_BYTES));
  const { answer } = await first;
  const drained = gateway.drain();
  const late = await server.app.inject(GOOD);
  t.match([late.statusCode, late.headers['connection']], [503, 'close']);
  t.match(late.json(), { code: 'version_not_ready', error: /stopping/ });
  const ready = await server.app.inject({ method: 'GET', url: '/v2/health/ready' });
  t.equal(ready.statusCode, 503);
  answer();
  t.match(await until(socket, /\}$/), /^HTTP\/1.1 200 /);
  await drained;
  const closed = once(socket, 'close');
  await server.close();
  await closed;
});

t.test('a stopping server does not wait for those who keep silent in mid-request', async (t) => {
  const server = aServer({ limits: { ...LIMITS, lingerMsMax: 100 } });
  const { port } = await server.listen('127.0.0.1', 0);
  const head = GOOD_BYTES.slice(0, 20);
  const body = GOOD_BYTES.slice(0, -1);
  const closed = ['', head, body].map(async (bytes) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.resume();
    socket.on('error', () => {});
    await once(socket, 'close');
  });
  const [last] = await Promise.all([exchange(port, 'hello\r\n\r\n'), server.app.inject(GOOD)]);
  t.match(last, /^HTTP\/1.1 400 /, 'all have connected before this one');
  await server.close();
  await Promise.all(closed);
});

t.test('a request that drips in is cut off in time, however steadily', async (t) => {
  const server = aServer({ limits: { ...LIMITS, receiveMsMax: 300 } });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  for (const atOnce of [10, GOOD_BYTES.length - 60]) {
    const socket = connect(port, '127.0.0.1', () => socket.write(GOOD_BYTES.slice(0, atOnce)));
    let at = atOnce;
    const drip = setInterval(() => {
      // Were it never cut off, it would be whole in the end, and answered.
      if (at < GOOD_BYTES.length && socket.writable) socket.write(GOOD_BYTES[at] ?? '');
      at += 1;
    }, 50);
    socket.on('error', () => {});
    const answer = await until(socket, /\}$/).finally(() => clearInterval(drip));
    t.match(answer, /^HTTP\/1.1 408 .*expected the whole request in time/s);
    socket.destroy();
  }
});

t.test('a caller who does not read the answer is let go', async (t) => {
  const data = new Uint8Array(64 * 1024 * 1024);
  const large: ServingHost = {
    ...echoHost('1'),
    infer: async (request, signal) => {
      const answer = await echoHost('1').infer(request, signal);
      return { ...answer, outputs: [{ name: 'y', dtype: 'UINT8', shape: [data.length], data }] };
    },
  };
  const gateway = aGateway({ hosts: { '1': large } });
  const server = aServer({ gateway, limits: { ...LIMITS, sendMsMax: 200 } });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const call = inferCall({ inputs: [anInput()], parameters: { binary_data_output: true } });
  const bytes = `POST ${call.url} HTTP/1.1\r\nhost: a\r\ncontent-length: ${call.payload.length}\r\n\r\n${call.payload}`;
  const accepted = once(server.app.server, 'connection');
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  t.teardown(() => socket.destroy());
  const [theirs] = (await accepted) as [Socket];
  await once(theirs, 'close');
  t.ok(theirs.bytesWritten > 0, 'it was on its way');
});
