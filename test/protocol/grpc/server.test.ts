import { once } from 'node:events';
import { constants } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { createGrpcServer } from '../../../src/protocol/grpc/server.ts';
import { Intake } from '../../../src/protocol/intake.ts';
import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import { aGateway, echoHost } from '../../gateway/builders.ts';
import { fuzzRuns } from '../../support/fuzz-runs.ts';
import { until } from '../../support/until.ts';
import { aService } from '../builders.ts';
import { aSession, ended, framed } from './a-session.ts';
import { aConversation, anInfer, BUDGET_BYTES, encoded, LIMITS, PROTOS } from './builders.ts';

t.test('callers may send megabytes before they have to wait', async (t) => {
  const { port } = await aConversation(t);
  const { session, settings } = await aSession(t, port);
  t.equal(settings.initialWindowSize, 4 * 1_024 * 1_024);
  t.equal(settings.maxConcurrentStreams, LIMITS.callsMax);
  await until('the connection as a whole', () => session.state.remoteWindowSize === 2 ** 24);
});

/** One byte of a message that should have nine. */
const HALF_A_MESSAGE = Buffer.from([0, 0, 0, 0, 9, 1]);

t.test('a call that does not arrive in whole is cut', async (t) => {
  const { port } = await aConversation(t, { limits: { stallMsMax: 50 } });
  const { open } = await aSession(t, port);
  const stream = open('ModelStreamInfer');
  stream.write(framed(encoded(anInfer())));
  for (const method of ['ModelInfer', 'ModelStreamInfer']) {
    const call = open(method);
    call.write(HALF_A_MESSAGE);
    t.equal((await ended(call)).resetCode, constants.NGHTTP2_CANCEL, method);
  }
  t.notOk(stream.closed, 'a stream may be silent for as long as it likes');
});

t.test('a call that arrives a byte at a time is cut as well', async (t) => {
  const { port } = await aConversation(t, { limits: { stallMsMax: 100 } });
  const { open } = await aSession(t, port);
  for (const method of ['ModelInfer', 'ModelStreamInfer']) {
    const call = open(method);
    call.write(Buffer.from([0, 0, 1, 0, 0]));
    const drip = setInterval(() => call.write(Buffer.alloc(1)), 10);
    t.equal((await ended(call)).resetCode, constants.NGHTTP2_CANCEL, method);
    clearInterval(drip);
  }
});

t.test('an answer that its caller has no room for is cut', async (t) => {
  const { port } = await aConversation(t, { limits: { stallMsMax: 50 } });
  const { open } = await aSession(t, port, { settings: { initialWindowSize: 0 } });
  for (const method of ['ModelInfer', 'ModelStreamInfer']) {
    const call = open(method);
    call.end(framed(encoded(anInfer())));
    t.equal((await ended(call)).resetCode, constants.NGHTTP2_CANCEL, method);
  }
});

const LARGE_BYTES = 2 ** 25;

/** A gateway whose answers are larger than what the system keeps for a caller who does not read. */
function aTalkativeGateway() {
  const host = echoHost('1');
  const data = new Uint8Array(LARGE_BYTES);
  const output = { name: 'y', dtype: 'UINT8', shape: [1, LARGE_BYTES], data } as const;
  return aGateway({
    hosts: {
      '1': {
        ...host,
        infer: async (...args) => ({ ...(await host.infer(...args)), outputs: [output] }),
      },
    },
  });
}

/** A call with a large answer by a caller who stops reading from its connection altogether. */
async function aDeafCall(t: Test, port: number) {
  const { proxyPort, server } = await aProxy(t, port);
  const windows = { settings: { initialWindowSize: 2 ** 30 } };
  const { session, open } = await aSession(t, proxyPort, windows);
  session.setLocalWindowSize(2 ** 30);
  const socket = await server;
  const call = open('ModelInfer');
  call.end(framed(encoded(anInfer())));
  await once(call, 'response');
  socket.unpipe();
  socket.pause();
  return { read: () => bytesLeft(socket) };
}

/** Passes one connection on, so that its end can be held. */
async function aProxy(t: Test, port: number) {
  let resolve: (socket: Socket) => void = () => {};
  const server = new Promise<Socket>((resolved) => {
    resolve = resolved;
  });
  const proxy = createServer((client) => {
    const socket = connect(port, '127.0.0.1');
    for (const end of [client, socket]) end.on('error', () => {});
    client.pipe(socket).pipe(client);
    t.teardown(() => socket.destroy());
    resolve(socket);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  return { proxyPort: (proxy.address() as AddressInfo).port, server };
}

/** Reads to the end what is still to come, and counts it. */
async function bytesLeft(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  socket.resume();
  await once(socket, 'close');
  return bytes;
}

t.test('who stops reading altogether is cut off', async (t) => {
  const gateway = aTalkativeGateway();
  const limits = { stallMsMax: 50, lingerMsMax: 30_000 };
  const { port, server } = await aConversation(t, { gateway, limits });
  const { read } = await aDeafCall(t, port);
  const startedMs = performance.now();
  await server.close();
  t.ok(performance.now() - startedMs < limits.lingerMsMax, 'it is gone before the server insists');
  t.ok((await read()) < LARGE_BYTES, 'and what it did not read is dropped');
});

t.test('who stops reading altogether does not keep a stopping server', async (t) => {
  const gateway = aTalkativeGateway();
  const { port, server } = await aConversation(t, { gateway, limits: { lingerMsMax: 50 } });
  const { read } = await aDeafCall(t, port);
  await server.close();
  t.ok((await read()) < LARGE_BYTES, 'what it did not read is dropped');
});

t.test('no frame of gRPC ends the server or leaks a request', async (t) => {
  const gateway = aGateway();
  const { port, call } = await aConversation(t, { gateway });
  const { open } = await aSession(t, port);
  const methods = fc.constantFrom('ModelInfer', 'ModelStreamInfer', 'ModelReady', 'Nothing');
  const good = fc.constant(framed(encoded(anInfer())));
  const bytes = fc.uint8Array({ maxLength: 40 });
  const bodies = fc.oneof(
    bytes.map((body) => Buffer.from(body)),
    bytes.map((message) => framed(message)),
    fc.tuple(good, bytes).map((parts) => Buffer.concat(parts)),
    fc.tuple(good, fc.nat()).map(([body, end]) => body.subarray(0, end % body.length)),
  );
  const encodings = fc.constantFrom('identity', 'gzip', 'deflate', 'none');
  await fc.assert(
    fc.asyncProperty(methods, bodies, encodings, async (method, body, encoding) => {
      const stream = open(method, { 'grpc-encoding': encoding });
      stream.end(body);
      const { code, resetCode } = await ended(stream);
      return code !== undefined || resetCode !== constants.NGHTTP2_NO_ERROR;
    }),
    fuzzRuns(500),
  );
  t.equal((await call('ModelInfer', anInfer())).error, undefined);
  t.equal(gateway.inFlight(), 0);
});

t.test('a compressed message is taken, if it is not too large when it is opened', async (t) => {
  const { port } = await aConversation(t);
  const { open } = await aSession(t, port);
  const send = async (message: Buffer) => {
    const call = open('ModelInfer', { 'grpc-encoding': 'gzip' });
    call.end(framed(gzipSync(message), { compressed: true }));
    return ended(call);
  };
  t.match(await send(encoded(anInfer())), { code: String(status.OK) });
  const large = await send(Buffer.alloc(LIMITS.messageBytesMax + 1));
  t.match(large, { code: String(status.RESOURCE_EXHAUSTED), details: /1000000/ });
});

t.test('a watcher with a deadline of weeks or years is served', async (t) => {
  const { port, call } = await aConversation(t);
  const month = await call('ModelInfer', anInfer(), { deadlineMs: 30 * 86_400_000 });
  t.equal(month.error, undefined);
  const { open } = await aSession(t, port);
  for (const timeout of ['2147484S', '2592000S', '36000M', '99999999H']) {
    const waiting = open('ModelInfer', { 'grpc-timeout': timeout });
    waiting.end(framed(encoded(anInfer())));
    t.match(await ended(waiting), { code: String(status.OK) }, timeout);
  }
});

t.test('an address that is taken is said to be', async (t) => {
  const { port } = await aConversation(t);
  const second = aServer();
  await t.rejects(second.listen('127.0.0.1', port), {
    message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
  });
  await second.close();
});

function aServer() {
  return createGrpcServer({
    service: aService(),
    limits: LIMITS,
    allowedHosts: [],
    budget: new MemoryBudget(BUDGET_BYTES),
    intake: new Intake(systemClock),
    protosFolder: PROTOS,
  });
}

t.test('an idle server stops immediately', async (t) => {
  const isQuick = async (close: () => Promise<void>): Promise<boolean> => {
    const startedMs = performance.now();
    await close();
    return performance.now() - startedMs < LIMITS.lingerMsMax;
  };
  const unbound = aServer();
  t.ok(await isQuick(unbound.close), 'one that never listened');
  t.ok(await isQuick(unbound.close), 'nor does it mind to be stopped again');
  const idle = aServer();
  await idle.listen('127.0.0.1', 0);
  t.ok(await isQuick(idle.close), 'one without connections');
  const { server, port, call } = await aConversation(t);
  await aSession(t, port);
  await call('ServerLive');
  t.ok(await isQuick(server.close), 'one whose connections are idle');
});

t.test('callers who keep a call open do not keep a stopping server', async (t) => {
  const { server, port } = await aConversation(t, { limits: { lingerMsMax: 50 } });
  const { session, open } = await aSession(t, port);
  open('ModelInfer').write(HALF_A_MESSAGE);
  open('ModelStreamInfer').write(framed(encoded(anInfer())));
  await server.close();
  await until('the connection is gone', () => session.destroyed);
  t.ok(session.destroyed);
});
