import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';

import type { ServingHost } from '../../../src/gateway/gateway.ts';
import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import { aGateway, echoHost, READY } from '../../gateway/builders.ts';
import { anInput, aServer, inferCall, type ServerParts } from './builders.ts';

const GOOD = inferCall({ inputs: [anInput()] });
const HEAD = 'POST /v2/models/m/infer HTTP/1.1\r\nhost: a\r\n';
const DEADLINE_MS = 20_000;

/** The last eighth is for small requests. */
const BUDGET_BYTES = 114_000;

/** A server whose requests may hold 114 kB together. */
async function aSmallServer(t: Test) {
  const server = aServer({ budget: new MemoryBudget(BUDGET_BYTES) });
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

const LARGE = `${String(GOOD.payload)}${' '.repeat(60_000)}`;

t.test('a body beyond what all bodies may hold together is refused', async (t) => {
  const { url, port } = await aSmallServer(t);
  await anUnfinishedBody(t, port);
  const refused = await untilStatus(url, LARGE, 503);
  t.equal(refused.headers.get('retry-after'), '1');
  t.match(await refused.json(), { code: 'memory_full', error: /at most 114000 bytes/ });
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

/** What a server whose requests may hold so much answers where no other request holds anything. */
async function aloneWith(t: Test, bytesMax: number, parts: ServerParts = {}) {
  const budget = new MemoryBudget(bytesMax);
  const server = aServer({ ...parts, budget });
  t.teardown(() => server.close());
  return { app: server.app, budget };
}

t.test('what is decoded from JSON counts in addition to the body', async (t) => {
  const rows = 1_000;
  const body = {
    inputs: [anInput({ shape: [rows, 2], data: Array(2 * rows).fill(1), datatype: 'FP64' })],
  };
  const call = inferCall(body, { 'content-type': 'application/json' });
  const bytes = call.payload.length;
  const { app } = await aloneWith(t, bytes + 16 * rows - 1_000);
  const refused = await app.inject(call);
  t.match(refused.json(), { code: 'memory_full' });
});

t.test('answers to other requests than inference count', async (t) => {
  const models = Array.from({ length: 3_000 }, (_, index) => `model-${index}`);
  const index = async () => models.map((model) => ({ model, version: '1', state: READY }));
  const repository = { index, load: async () => {}, unload: async () => {} };
  const { app, budget } = await aloneWith(t, 100_000, { repository });
  const refused = await app.inject({ method: 'POST', url: '/v2/repository/index' });
  t.equal(refused.statusCode, 503);
  t.match(refused.json(), { code: 'memory_full' });
  t.equal(budget.usedBytes, 0);
});

t.test('an answer that there is no room for is refused as other requests are', async (t) => {
  const data = new Uint8Array(80_000);
  const host: ServingHost = {
    ...echoHost('1'),
    infer: async (request, signal) => {
      const answer = await echoHost('1').infer(request, signal);
      return { ...answer, outputs: [{ name: 'y', dtype: 'UINT8', shape: [data.length], data }] };
    },
  };
  const gateway = aGateway({ hosts: { '1': host } });
  const { app, budget } = await aloneWith(t, 150_000, { gateway });
  const call = inferCall({ inputs: [anInput()], parameters: { binary_data_output: true } });
  const refused = await app.inject({ ...call, headers: { 'accept-encoding': 'identity' } });
  t.equal(refused.statusCode, 503);
  t.match(refused.headers, { 'content-type': /json/, 'retry-after': '1' });
  t.notOk(refused.headers['inference-header-content-length']);
  t.match(refused.json(), { code: 'memory_full' });
  t.equal(budget.usedBytes, 0);
});
