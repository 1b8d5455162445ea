import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { type Answer, type Post, post } from '../../src/webhooks/post.ts';
import { CERTIFICATE, EXPIRED } from '../load/a-certificate.ts';
import { type Answering, aReceiver, status } from '../support/a-receiver.ts';

function send(url: string, fields: Partial<Post> = {}): Promise<Answer> {
  const signal = new AbortController().signal;
  const limits = { timeoutMs: 20_000, connectTimeoutMs: 20_000 };
  return post({ url, headers: {}, body: '{}', ca: undefined, signal, ...limits, ...fields });
}

async function answering(t: Test, answer: Answering): Promise<string> {
  const receiver = await aReceiver(answer);
  t.teardown(receiver.close);
  return receiver.url;
}

/** A server that speaks no HTTP. */
async function rawServer(t: Test, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

t.test('the body, its length and the headers arrive', async (t) => {
  const receiver = await aReceiver(status(200, 'thanks'));
  t.teardown(receiver.close);
  const answer = await send(`${receiver.url}/a?b=c`, { headers: { 'x-a': '1' }, body: '{"é":1}' });
  t.match(answer, { status: 200, text: 'thanks' });
  t.match(receiver.received, [
    { path: '/a?b=c', headers: { 'x-a': '1', 'content-length': '8' }, body: '{"é":1}' },
  ]);
});

t.test('a redirect is an answer and is not followed', async (t) => {
  const elsewhere = await aReceiver();
  t.teardown(elsewhere.close);
  const url = await answering(t, (response) => {
    response.writeHead(307, { location: elsewhere.url }).end();
  });
  t.equal((await send(url)).status, 307);
  t.equal(elsewhere.received.length, 0);
});

t.test('a receiver that accepts and says nothing is given up in time', async (t) => {
  const url = await answering(t, () => undefined);
  await t.rejects(send(url, { timeoutMs: 200 }), { message: 'no answer within 200 ms' });
});

t.test('a TLS handshake that hangs is given up sooner than an answer', async (t) => {
  const port = await rawServer(t, () => undefined);
  const sent = send(`https://127.0.0.1:${port}/secret`, { connectTimeoutMs: 200 });
  await t.rejects(sent, { message: 'no connection within 200 ms' });
});

t.test('an endless answer counts by its head and is not read on', async (t) => {
  let written = 0;
  const url = await answering(t, (response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x'))) written += 1;
    };
    response.on('drain', more);
    more();
  });
  const { status: code, text } = await send(url);
  t.equal(code, 200);
  t.equal(text.length, 4_096);
  t.ok(written < 1_000, `${written} pieces were taken`);
});

t.test('a body that never ends counts by its head when time is over', async (t) => {
  const url = await answering(t, (response) => void response.writeHead(403).write('wait'));
  t.match(await send(url, { timeoutMs: 3_000 }), { status: 403, text: 'wait' });
});

t.test('a body shorter than its length counts by its head', async (t) => {
  const port = await rawServer(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nshort'));
  });
  t.match(await send(`http://127.0.0.1:${port}`), { status: 200, text: 'short' });
});

t.test(
  'what is no HTTP, a huge head and a closed connection are errors without the address',
  async (t) => {
    const answers = [
      (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
      (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`),
      (socket: Socket) => socket.destroy(),
      (socket: Socket) =>
        socket.end('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ];
    for (const answer of answers) {
      const port = await rawServer(t, (socket) => socket.once('data', () => answer(socket)));
      const error = await send(`http://127.0.0.1:${port}/services/T0/SECRET`).catch(
        (thrown: unknown) => thrown,
      );
      t.ok(error instanceof Error, String(error));
      t.notMatch(String(error), /SECRET/);
    }
  },
);

t.test('a port where nothing listens is refused', async (t) => {
  const receiver = await aReceiver();
  await receiver.close();
  await t.rejects(send(receiver.url), /ECONNREFUSED/);
});

t.test('a certificate is verified, against another authority where one is named', async (t) => {
  const good = await aReceiver(status(204), CERTIFICATE);
  const old = await aReceiver(status(204), EXPIRED);
  t.teardown(() => Promise.all([good.close(), old.close()]));
  await t.rejects(send(good.url), /self-signed certificate/);
  await t.rejects(send(old.url, { ca: EXPIRED.cert }), /certificate has expired/);
  t.equal((await send(good.url, { ca: CERTIFICATE.cert })).status, 204);
});
