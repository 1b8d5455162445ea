import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';

import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import { aGateway } from '../../gateway/builders.ts';
import { until } from '../../support/until.ts';
import { mostBytesInATurn } from '../turn-bytes.ts';
import { anInput, aServer, LIMITS, type ServerParts } from './builders.ts';

const INFER = JSON.stringify({ inputs: [anInput()] });
const CHUNKED = 'POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n';

async function listening(t: Test, parts: ServerParts = {}): Promise<number> {
  const server = aServer({ limits: { ...LIMITS, bodyBytesMax: 10_000_000 }, ...parts });
  const { port } = await server.listen('127.0.0.1', 0);
  t.teardown(() => {
    server.app.server.closeAllConnections();
    return server.close();
  });
  return port;
}

/** A misbehaving connection, and all that came back by the time it was closed. */
function aSocket(t: Test, port: number): { socket: Socket; answers: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.on('data', (piece) => {
    text += String(piece);
  });
  // Cut off in the middle of what it says.
  socket.on('error', () => {});
  return { socket, answers: new Promise((resolve) => socket.once('close', () => resolve(text))) };
}

/** Sends the same bytes repeatedly until the connection is gone. Resolves with how many bytes that took. */
function flood(socket: Socket, unit: string): Promise<number> {
  const block = unit.repeat(Math.ceil(16_384 / unit.length));
  return new Promise((resolve) => {
    let bytes = 0;
    const go = (): void => {
      if (socket.destroyed) return;
      bytes += block.length;
      // One turn of the loop each, which the server in this process needs as well.
      socket.write(block, () => setImmediate(go));
    };
    socket.once('close', () => resolve(bytes));
    go();
  });
}

const chunks = (bytes: Buffer, size: number): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
};

t.test('a body in crumbs is refused long before its bytes are too many', async (t) => {
  const port = await listening(t);
  for (const head of [CHUNKED, CHUNKED.replace('/infer', '/trace/setting')]) {
    const { socket, answers } = aSocket(t, port);
    socket.write(`${head}\r\n`);
    const bytes = await flood(socket, '1\r\n \r\n');
    t.match(
      await answers,
      /^HTTP\/1.1 413 [\s\S]*too many chunks in the request body: expected 32 bytes/,
    );
    t.ok(bytes < 1_000_000, `cut after ${bytes} bytes`);
  }
});

t.test('a compressed body in crumbs is refused as well', async (t) => {
  const port = await listening(t);
  const { socket, answers } = aSocket(t, port);
  const noise = createHash('shake256', { outputLength: 60_000 }).update('noise').digest();
  socket.write(`${CHUNKED}content-encoding: gzip\r\n\r\n`);
  socket.write(chunks(gzipSync(noise), 1));
  t.match(await answers, /^HTTP\/1.1 413 [\s\S]*too many chunks/);
});

t.test('chunks of a line, or of a number at a time, are read', async (t) => {
  const port = await listening(t);
  const padded = Buffer.from(INFER + ' '.repeat(4_000 - INFER.length));
  const long = Buffer.from(INFER.replace('"data"', `${' '.repeat(15_000)}"data"`));
  for (const [body, size] of [
    [padded, 1],
    [long, 4],
  ] as const) {
    const { socket, answers } = aSocket(t, port);
    socket.write(`${CHUNKED}connection: close\r\n\r\n`);
    socket.write(chunks(body, size));
    t.match(await answers, /^HTTP\/1.1 200 /, `in chunks of ${size}`);
  }
});

t.test('what is answered before its chunks are there ends its connection', async (t) => {
  const port = await listening(t);
  const heads: readonly [string, RegExp][] = [
    ['GET /v2/health/live', /^HTTP\/1.1 200 /],
    ['POST /v2/repository/index', /^HTTP\/1.1 403 /],
  ];
  for (const [head, status] of heads) {
    const { socket, answers } = aSocket(t, port);
    const origin = 'origin: http://evil.example\r\n';
    socket.write(`${head} HTTP/1.1\r\nhost: x\r\n${origin}transfer-encoding: chunked\r\n\r\n`);
    const bytes = await flood(socket, '1\r\n \r\n');
    t.match(await answers, status);
    t.ok(bytes < 1_000_000, `${head} was cut after ${bytes} bytes`);
  }
});

t.test('header lines, trailers and extensions of chunks have their bounds', async (t) => {
  const port = await listening(t);
  const floods: readonly [string, string][] = [
    ['GET /v2 HTTP/1.1\r\nhost: x\r\n', 'a: b\r\n'],
    [`${CHUNKED}\r\n1\r\n \r\n0\r\n`, 'a: b\r\n'],
    [
      `${CHUNKED}\r\n`,
      '1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=bbbbbbbbbbbbbbbb\r\n \r\n',
    ],
    [`${CHUNKED}\r\n1;`, 'aaaaaaaa'],
  ];
  for (const [head, unit] of floods) {
    const { socket, answers } = aSocket(t, port);
    socket.write(head);
    const bytes = await flood(socket, unit);
    t.match(await answers, /^HTTP\/1.1 4(00|13|31) /, unit);
    t.ok(bytes < 4_000_000, `cut after ${bytes} bytes`);
  }
});

t.test('requests may be sent ahead of their answers, but not by the thousand', async (t) => {
  const port = await listening(t);
  const request = `POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${INFER.length}\r\n\r\n${INFER}`;
  const few = aSocket(t, port);
  few.socket.write(request.repeat(12));
  few.socket.end();
  t.equal((await few.answers).match(/HTTP\/1.1 200 /g)?.length, 12);
  const many = aSocket(t, port);
  many.socket.write('GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2_000));
  const answers = (await many.answers).match(/HTTP\/1.1 200 /g)?.length ?? 0;
  t.ok(answers <= 16, `${answers} were answered`);
});

t.test('who sends requests ahead and goes away leaves nothing behind', async (t) => {
  const budget = new MemoryBudget(1_000_000);
  const gateway = aGateway();
  let begun = 0;
  const hanging = Object.assign(Object.create(gateway), {
    infer: (): Promise<never> => {
      begun += 1;
      return new Promise(() => undefined);
    },
  }) as typeof gateway;
  const port = await listening(t, { budget, gateway: hanging });
  const { socket } = aSocket(t, port);
  const head = `POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${INFER.length}\r\n\r\n`;
  socket.write(`${head}${INFER}`.repeat(5));
  await until('all are begun', () => begun === 5);
  t.ok(budget.usedBytes >= 5 * INFER.length);
  socket.destroy();
  await until('the memory is given back', () => budget.usedBytes === 0);
});

t.test('callers that send large bodies together leave room in each turn for others', async (t) => {
  const httpPort = await listening(t, { limits: { ...LIMITS, bodyBytesMax: 100_000_000 } });
  const order = { name: 'unfinished bodies', connections: 12, httpPort, grpcPort: 0 };
  const most = await mostBytesInATurn(t, order);
  // What a turn takes, and one read more of each that is not held yet.
  t.ok(most <= 262_144 + 2 * 12 * 65_536, `${most} bytes in one turn`);
});
