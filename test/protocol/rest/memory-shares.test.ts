import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';

import { anInput, aServer, inferCall, LIMITS } from './builders.ts';

const GOOD = inferCall({ inputs: [anInput()] });
const HEAD = 'POST /v2/models/m/infer HTTP/1.1\r\nhost: a\r\n';
const DEADLINE_MS = 20_000;

/** A server whose requests may hold 100 kB together, and one body as much. */
async function aSmallServer(t: Test) {
  const server = aServer({ limits: { ...LIMITS, memoryBytesMax: 100_000 } });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  return { url: `http://127.0.0.1:${port}${GOOD.url}`, port };
}

/** Begins a body of 90 kB and never ends it. */
async function anUnfinishedBody(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(`${HEAD}content-length: 90001\r\n\r\n${' '.repeat(90_000)}`);
  await once(socket, 'connect');
  return socket;
}

/** Asks until the status comes. */
async function untilStatus(url: string, body: string, status: number): Promise<Response> {
  const endMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await fetch(url, { method: 'POST', body });
    if (answer.status === status || performance.now() > endMs) return answer;
    await answer.arrayBuffer();
    await after(5);
  }
}

const LARGE = `${String(GOOD.payload)}${' '.repeat(20_000)}`;

t.test('a body beyond what all bodies may hold together is refused', async (t) => {
  const { url, port } = await aSmallServer(t);
  await anUnfinishedBody(t, port);
  const refused = await untilStatus(url, LARGE, 503);
  t.equal(refused.headers.get('retry-after'), '1');
  t.match(await refused.json(), { code: 'memory_full', error: /at most 100000 bytes/ });
});

t.test('small requests are served while large bodies are refused', async (t) => {
  const { url, port } = await aSmallServer(t);
  await anUnfinishedBody(t, port);
  t.equal((await untilStatus(url, LARGE, 503)).status, 503);
  const small = await fetch(url, { method: 'POST', body: String(GOOD.payload) });
  t.equal(small.status, 200);
});

t.test('what an unfinished body held comes back when its caller goes', async (t) => {
  const { url, port } = await aSmallServer(t);
  const socket = await anUnfinishedBody(t, port);
  t.equal((await untilStatus(url, LARGE, 503)).status, 503);
  socket.destroy();
  t.equal((await untilStatus(url, LARGE, 200)).status, 200);
});

t.test('answered requests hold nothing', async (t) => {
  const { url } = await aSmallServer(t);
  for (let sent = 0; sent < 12; sent += 1) {
    const answer = await fetch(url, { method: 'POST', body: LARGE });
    t.equal(answer.status, 200, `request ${sent}`);
    await answer.arrayBuffer();
  }
});

t.test('inflated bytes count, not those that were sent', async (t) => {
  const { url, port } = await aSmallServer(t);
  await anUnfinishedBody(t, port);
  await untilStatus(url, LARGE, 503);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync(LARGE),
  });
  t.equal(answer.status, 503);
});
