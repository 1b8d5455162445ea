import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Address } from '../../../src/load/nouns/wire.ts';
import { AnswerReader, type HttpAnswer, headerOf } from '../../../src/load/wire/http-answer.ts';
import { HttpConnection, postBytes } from '../../../src/load/wire/http-connection.ts';
import { HttpSender } from '../../../src/load/wire/http-sender.ts';
import { CERTIFICATE } from '../a-certificate.ts';

type Case = {
  readonly name: string;
  readonly bytes: string;
  readonly status: number;
  readonly body: string;
  readonly keeps: boolean;
};

const CASES: readonly Case[] = [
  {
    name: 'with a length',
    bytes: 'HTTP/1.1 200 OK\r\nContent-LENGTH: 5\r\n\r\nhello',
    status: 200,
    body: 'hello',
    keeps: true,
  },
  {
    name: 'of no length',
    bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
    status: 200,
    body: '',
    keeps: true,
  },
  {
    name: 'in chunks, with remarks and trailers',
    bytes:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\ncontent-length: 3\r\n\r\n5;a=b\r\nhello\r\nA\r\n, world\r\n\r\r\n0\r\nx: y\r\n\r\n',
    status: 200,
    body: 'hello, world\r\n\r',
    keeps: true,
  },
  {
    name: 'after announcements',
    bytes:
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\nx',
    status: 201,
    body: 'x',
    keeps: true,
  },
  {
    name: 'without content',
    bytes: 'HTTP/1.1 204 No Content\r\n\r\n',
    status: 204,
    body: '',
    keeps: true,
  },
  {
    name: 'not modified',
    bytes: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n',
    status: 304,
    body: '',
    keeps: true,
  },
  {
    name: 'the last on its connection',
    bytes: 'HTTP/1.1 503 Busy\r\nConnection: Close\r\ncontent-length: 2\r\n\r\nno',
    status: 503,
    body: 'no',
    keeps: false,
  },
  {
    name: 'of HTTP/1.0',
    bytes: 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok',
    status: 200,
    body: 'ok',
    keeps: false,
  },
  {
    name: 'of HTTP/1.0 kept alive',
    bytes: 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok',
    status: 200,
    body: 'ok',
    keeps: true,
  },
  {
    name: 'until the end',
    bytes: 'HTTP/1.0 200 OK\r\n\r\nall of it',
    status: 200,
    body: 'all of it',
    keeps: false,
  },
];

/** What is read of bytes that come in pieces, the connection ending after them. */
function readPieces(bytes: Buffer, cuts: readonly number[]): HttpAnswer & { keeps: boolean } {
  const reader = new AnswerReader();
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  let answer: HttpAnswer | undefined;
  for (const [place, at] of places.entries()) {
    const piece = bytes.subarray(at, places[place + 1] ?? bytes.length);
    if (piece.length > 0) answer = reader.take(piece) ?? answer;
  }
  answer ??= reader.end();
  if (!answer) throw new Error('no answer');
  return { ...answer, keeps: reader.keepsAlive };
}

for (const { name, bytes, status, body, keeps } of CASES) {
  t.test(`an answer ${name} is read, however its bytes are cut`, async () => {
    const all = Buffer.from(bytes, 'latin1');
    const cuts = fc.array(fc.nat(all.length), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (at) => {
        const answer = readPieces(all, at);
        const isError = status >= 200 && status < 300 ? undefined : String(status);
        return (
          answer.status === status &&
          answer.error === isError &&
          answer.body.toString('latin1') === body &&
          answer.keeps === keeps
        );
      }),
    );
  });
}

t.test(
  'answers follow one another on a connection, and more than an answer is noticed',
  async (t) => {
    const reader = new AnswerReader();
    const whole = CASES.filter(({ keeps }) => keeps);
    for (const { bytes, body } of [...whole, ...whole])
      t.equal(reader.take(Buffer.from(bytes, 'latin1'))?.body.toString('latin1'), body);
    t.ok(reader.keepsAlive);
    reader.take(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab'));
    t.notOk(reader.keepsAlive);
  },
);

t.test('what is no answer, or too long, is reported', async (t) => {
  const refuse = (text: string, message: RegExp) =>
    t.throws(() => new AnswerReader().take(Buffer.from(text, 'latin1')), message);
  refuse('SSH-2.0-x\r\n\r\n\r\n', /is not HTTP\/1.1/);
  refuse('HTTP/1.1 2000 OK\r\n\r\n', /is not HTTP\/1.1/);
  refuse(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`, /no end of head within 64 KiB/);
  refuse('HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n', /length of the answer is no number/);
  refuse('HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n', /longer than 64 MiB/);
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  refuse(`${chunked}zz\r\n`, /does not say its size/);
  refuse(`${chunked}1\r\nab\r\n`, /longer than it says/);
  refuse(`${chunked}1;${'a'.repeat(5_000)}`, /has no end/);
});

t.test('a header is found in any case', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-A: b';
  t.equal(headerOf(head, 'content-length'), '12');
  t.equal(headerOf(head, 'x-a'), 'b');
  t.equal(headerOf(head, 'x-b'), undefined);
});

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** A server that does this with the n-th request of all, n from 0; requests come in one piece. */
async function aServer(
  t: Pick<Test, 'teardown'>,
  answer: (socket: Socket, n: number) => void,
): Promise<{ address: Address; connections: () => number }> {
  let [requests, connections] = [0, 0];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => {
      answer(socket, requests);
      requests += 1;
    });
  });
  const address = await listen(server, false);
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address, connections: () => connections };
}

async function listen(server: Server, tls: boolean): Promise<Address> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, tls };
}

function aSender(t: Pick<Test, 'teardown'>, address: Address): HttpSender {
  const sender = new HttpSender(address);
  t.teardown(() => sender.close());
  return sender;
}

const REQUEST = postBytes({ host: 'h', path: '/', headers: {}, body: Buffer.from('x') });

t.test(
  'a connection that is idle is used again, and another one opened where none is',
  async (t) => {
    const { address, connections } = await aServer(t, (socket) => socket.write(OK));
    const sender = aSender(t, address);
    await sender.open(2);
    for (let n = 0; n < 5; n += 1) t.match(await sender.send(REQUEST), { error: undefined });
    t.equal(connections(), 2);
    const answers = await Promise.all([1, 2, 3].map(() => sender.send(REQUEST)));
    t.same(
      answers.map(({ body }) => body.toString()),
      ['ok', 'ok', 'ok'],
    );
    t.equal(connections(), 3);
  },
);

t.test('a connection that the server closes is not used again', async (t) => {
  const last = OK.replace('\r\n', '\r\nconnection: close\r\n');
  const { address, connections } = await aServer(t, (socket) => socket.end(last));
  const sender = aSender(t, address);
  for (let n = 0; n < 3; n += 1) t.equal((await sender.send(REQUEST)).body.toString(), 'ok');
  t.equal(connections(), 3);
});

t.test(
  'a request without a whole answer says how it failed, and the next one is sent',
  async (t) => {
    const { address } = await aServer(t, (socket, n) => {
      if (n === 0) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel');
      else if (n === 1) socket.resetAndDestroy();
      else if (n === 2) socket.write('what?\r\n\r\n');
      else socket.write(OK);
    });
    const sender = aSender(t, address);
    await t.rejects(sender.send(REQUEST), /the server closed the connection/);
    await t.rejects(sender.send(REQUEST), { code: 'ECONNRESET' });
    await t.rejects(sender.send(REQUEST), /is not HTTP/);
    t.equal((await sender.send(REQUEST)).body.toString(), 'ok');
    const nobody = aSender(t, { ...address, port: 1 });
    await t.rejects(nobody.send(REQUEST), { code: 'ECONNREFUSED' });
    await t.rejects(nobody.open(1), { code: 'ECONNREFUSED' });
  },
);

t.test('an answer that is given up rejects, and its connection is closed', async (t) => {
  const { address, connections } = await aServer(t, (socket, n) => {
    if (n > 0) socket.write(OK);
  });
  const sender = aSender(t, address);
  const answer = sender.send(REQUEST);
  sender.abandon(answer);
  await t.rejects(answer, /closed by us/);
  await sender.open(1);
  t.ok(connections() >= 1);
});

t.test('a server whose certificate no trusted authority signed is refused', async (t) => {
  const server = createHttps(CERTIFICATE);
  const address = await listen(server, true);
  t.teardown(() => server.close());
  await t.rejects(HttpConnection.open(address), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  await t.rejects(aSender(t, address).send(REQUEST), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});
