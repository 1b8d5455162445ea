import { randomBytes } from 'node:crypto';
import { type ClientHttp2Stream, constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';

import type { ServingHost } from '../../../src/gateway/gateway.ts';
import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import { aGateway, echoHost } from '../../gateway/builders.ts';
import { until } from '../../support/until.ts';
import { aSession, ended, framed } from './a-session.ts';
import { aConversation, anInfer, encoded, type ServerParts } from './builders.ts';

const BUDGET_BYTES = 1_000_000;
const FULL = String(status.RESOURCE_EXHAUSTED);

/** A server whose requests may hold a megabyte together. */
async function aSmallServer(t: Test, parts: ServerParts = {}) {
  const budget = new MemoryBudget(BUDGET_BYTES);
  const codes: string[] = [];
  const conversation = await aConversation(t, {
    budget,
    onRefused: (_, code) => codes.push(code),
    ...parts,
  });
  return { ...conversation, budget, codes };
}

/** The beginning of a message that claims to be longer. */
function unfinished(bytes: number): Buffer {
  return framed(Buffer.alloc(2 * bytes)).subarray(0, bytes);
}

/** Calls of their own connection, each with the beginning of a message, until all of the budget that they may have is held. */
async function holdAll(t: Test, port: number, budget: MemoryBudget): Promise<ClientHttp2Stream[]> {
  const { open } = await aSession(t, port);
  const calls = ['ModelInfer', 'ModelStreamInfer', 'RepositoryIndex', 'ServerLive'].map(
    (method) => {
      const call = open(method);
      call.resume().write(unfinished(200_000));
      return call;
    },
  );
  await until('unread bytes are counted too', () => budget.usedBytes >= 800_000);
  return calls;
}

t.test('messages that are not whole count together, over all methods', async (t) => {
  const { port, budget, codes } = await aSmallServer(t);
  await holdAll(t, port, budget);
  const { open } = await aSession(t, port);
  const call = open('ModelInfer');
  call.write(unfinished(200_000));
  const headers = new Promise<Record<string, unknown>>((resolve) => call.on('response', resolve));
  t.match(await headers, {
    'grpc-status': FULL,
    'x-understudy-error': 'memory_full',
    'grpc-retry-pushback-ms': '1000',
    'grpc-message': /limits.memoryMax/,
  });
  t.same(codes, ['memory_full']);
});

t.test('small calls are served while large messages are refused', async (t) => {
  const { port, budget, call } = await aSmallServer(t);
  await holdAll(t, port, budget);
  const { error } = await call('ModelInfer', anInfer());
  t.equal(error, undefined);
});

t.test('what calls held comes back when they end', async (t) => {
  const { port, budget } = await aSmallServer(t);
  for (const each of await holdAll(t, port, budget)) each.close(constants.NGHTTP2_CANCEL);
  await until('nothing is held', () => budget.usedBytes === 0);
});

t.test('what calls held comes back when their connection is lost', async (t) => {
  const { port, budget } = await aSmallServer(t);
  const [first] = await holdAll(t, port, budget);
  first?.session?.destroy();
  await until('nothing is held', () => budget.usedBytes === 0);
});

t.test('inflated bytes count, not those that were sent', async (t) => {
  const { port, budget, codes } = await aSmallServer(t, {
    limits: { messageBytesMax: 10_000_000 },
  });
  const { open } = await aSession(t, port);
  for (const encoding of ['gzip', 'gzip']) {
    const call = open('ModelInfer', { 'grpc-encoding': encoding });
    call.end(framed(gzipSync(Buffer.alloc(5_000_000)), { compressed: true }));
    t.equal((await ended(call)).code, FULL);
  }
  t.same(codes, ['memory_full', 'memory_full']);
  await until('nothing is held', () => budget.usedBytes === 0);
});

t.test('what is not compressed as it says is refused', async (t) => {
  const { port } = await aSmallServer(t);
  const { open } = await aSession(t, port);
  const call = open('ModelInfer', { 'grpc-encoding': 'gzip' });
  call.end(framed(Buffer.from('not gzip'), { compressed: true }));
  t.match(await ended(call), { code: String(status.INTERNAL), details: /expected gzip/ });
});

/** A model whose answers have 300 kB. */
function aLargeAnswer(): ServingHost {
  const data = new Uint8Array(300_000);
  return {
    ...echoHost('1'),
    infer: async (request, signal) => {
      const answer = await echoHost('1').infer(request, signal);
      return { ...answer, outputs: [{ name: 'y', dtype: 'UINT8', shape: [data.length], data }] };
    },
  };
}

t.test('answers that are not read count too', async (t) => {
  const { port, budget } = await aSmallServer(t, {
    gateway: aGateway({ hosts: { '1': aLargeAnswer() } }),
  });
  const slow = await aSession(t, port, { settings: { initialWindowSize: 0 } });
  slow.open('ModelInfer').end(framed(encoded(anInfer())));
  await until('the answer is held', () => budget.usedBytes > 600_000);
  const { open } = await aSession(t, port);
  for (const method of ['ModelInfer', 'ModelStreamInfer']) {
    const call = open(method, { triton_grpc_error: 'true' });
    call.end(framed(encoded(anInfer())));
    t.equal((await ended(call)).code, FULL, method);
  }
});

t.test('a stream holds only what has not been answered', async (t) => {
  const { stream, budget } = await aSmallServer(t);
  const { stream: calls, ended: end } = stream();
  const large = anInfer({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [30_000, 2] }],
    raw_input_contents: [randomBytes(240_000)],
  });
  for (let sent = 0; sent < 8; sent += 1) {
    calls.write(large);
    await new Promise((resolve) => calls.once('data', resolve));
    await until('it is answered and written', () => budget.usedBytes < 20_000);
  }
  calls.end();
  t.equal((await end).answers.length, 8);
});
