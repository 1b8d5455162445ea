import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';

import type { SecureServerOptions } from '../../src/tls/secure-server.ts';
import { Authority, asClient } from '../support/certificates.ts';
import { until } from '../support/until.ts';
import { read, secured } from './builders.ts';

const GET = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';

/** A server of HTTP behind TLS that answers `hello`. */
async function aServer(t: Test, options: Partial<SecureServerOptions> = {}, authority?: Authority) {
  const by = authority ?? (await Authority.open(t));
  const tls = await secured(t, by, options);
  const server: Server = createServer((_, response) => response.end('hello'));
  tls.secure(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return { ...tls, server, port, authority: by };
}

function plain(t: Test, port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  return socket;
}

t.test('a client of TLS is served, whichever safe version and cipher it wants', async (t) => {
  const { port, connected } = await aServer(t);
  for (const options of [
    { maxVersion: 'TLSv1.3' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
    { ALPNProtocols: [] },
  ] as const) {
    const { ALPNProtocols = ['http/1.1'], ...rest } = options as { ALPNProtocols?: string[] };
    const socket = await connected(port, { ...rest, ALPNProtocols: [...ALPNProtocols] });
    socket.write(GET);
    t.match(await read(socket), /^HTTP\/1.1 200 [\s\S]*hello$/);
  }
});

t.test('old versions, weak ciphers and other protocols are refused', async (t) => {
  const { port, connected, faults } = await aServer(t);
  for (const options of [
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA' },
    { ALPNProtocols: ['h2'] },
  ] as const) {
    await t.rejects(connected(port, options as object), JSON.stringify(options));
  }
  await until('all are counted', () => faults.length === 4);
  t.strictSame(new Set(faults), new Set(['failed']));
});

t.test('a client cannot renegotiate', async (t) => {
  const { port, connected } = await aServer(t);
  const socket = await connected(port, { maxVersion: 'TLSv1.2' });
  const failure = await new Promise<Error | null>((resolve) => {
    socket.once('error', resolve);
    socket.renegotiate({}, resolve);
  });
  t.match(failure?.message, /renegotiation/i);
});

t.test('plain HTTP gets a refusal that names TLS, and costs no request', async (t) => {
  const { port, faults, server } = await aServer(t);
  let requests = 0;
  server.on('request', () => {
    requests += 1;
  });
  const socket = plain(t, port);
  socket.write(GET);
  t.match(await read(socket), /^HTTP\/1.1 400 [\s\S]*expected TLS on this port \(https:\/\/\)/);
  t.strictSame(faults, ['plaintext']);
  t.equal(requests, 0);
});

t.test('what is neither TLS nor HTTP is closed without an answer', async (t) => {
  const { port, faults } = await aServer(t);
  for (const bytes of ['\0\0\0\0', '\x80\x2e\x01\x03', 'hello']) {
    const socket = plain(t, port);
    socket.write(Buffer.from(bytes, 'latin1'));
    t.equal(await read(socket), '');
  }
  t.strictSame(faults, ['plaintext', 'plaintext', 'plaintext']);
});

t.test(
  'a client of gRPC without TLS fails at once, and does not connect again and again',
  async (t) => {
    const { port, faults } = await aServer(t, { protocol: 'h2' });
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    t.teardown(() => client.close());
    const refused = await new Promise<ServiceError | null>((resolve) => {
      const [same, deadline] = [(bytes: Buffer) => bytes, Date.now() + 60_000];
      client.makeUnaryRequest(
        '/a/b',
        same,
        same,
        Buffer.alloc(0),
        new Metadata(),
        { deadline },
        resolve,
      );
    });
    t.match(refused, { code: status.UNAVAILABLE });
    t.strictSame(faults, ['plaintext']);
  },
);

t.test('a handshake that stalls, at whichever place, is cut in time', async (t) => {
  const { port, faults, server } = await aServer(t, { handshakeMsMax: 200 });
  const hello = await clientHello();
  const closed = [Buffer.alloc(0), hello.subarray(0, 1), hello.subarray(0, 60), hello].map(
    async (bytes) => {
      const socket = plain(t, port);
      socket.resume().on('error', () => undefined);
      socket.write(bytes);
      await once(socket, 'close');
    },
  );
  await Promise.all(closed);
  await until('all are counted', () => faults.length === 4);
  t.strictSame(new Set(faults), new Set(['timeout']));
  t.equal(await connectionsOf(server), 0);
});

t.test('a handshake that drips in has no more time than others', async (t) => {
  const { port, faults } = await aServer(t, { handshakeMsMax: 300 });
  const hello = await clientHello();
  const socket = plain(t, port);
  socket.resume().on('error', () => undefined);
  let at = 0;
  const drip = setInterval(() => {
    socket.write(hello.subarray(at, at + 1));
    at += 1;
  }, 30);
  t.teardown(() => clearInterval(drip));
  await once(socket, 'close');
  t.ok(at < hello.length, `after ${at} bytes`);
  t.strictSame(faults, ['timeout']);
});

t.test('of more handshakes than are allowed the oldest makes room', async (t) => {
  const { port, faults, connected, server } = await aServer(t, { handshakesMax: 3 });
  const stalled: Socket[] = [];
  for (let count = 0; count < 3; count += 1) {
    const accepted = once(server, 'connection');
    stalled.push(plain(t, port).on('error', () => undefined));
    await accepted;
  }
  const [first] = stalled;
  const gone = first && once(first, 'close');
  const socket = await connected(port);
  socket.write(GET);
  t.match(await read(socket), /hello$/);
  await gone;
  t.strictSame(faults, ['crowded']);
  t.equal(stalled.filter(({ destroyed }) => destroyed).length, 1);
});

t.test('a server that closes does not wait for handshakes', async (t) => {
  const { port, server } = await aServer(t);
  const accepted = once(server, 'connection');
  const socket = plain(t, port).on('error', () => undefined);
  await accepted;
  await new Promise((resolve) => server.close(resolve));
  t.ok(await until('it is closed', () => socket.destroyed || socket.readableEnded));
});

t.test('connections that come and go in their handshake leave nothing behind', async (t) => {
  const { port, server, connected } = await aServer(t);
  const hello = await clientHello();
  for (let at = 0; at < 40; at += 1) {
    const socket = plain(t, port).on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(hello.subarray(0, at * 10));
    if (at % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  }
  await until('all are gone', async () => (await connectionsOf(server)) === 0);
  const socket = await connected(port);
  socket.write(GET);
  t.match(await read(socket), /hello$/);
});

t.test('where a certificate is required, only a client with a good one is served', async (t) => {
  const { port, connected, faults, authority } = await aServer(t, { clients: 'require' });
  const good = await asClient(await authority.issue({ name: 'client', names: '' }));
  const socket = await connected(port, good);
  socket.write(GET);
  t.match(await read(socket), /hello$/);
  const stranger = await Authority.open(t);
  const others = [{}, await asClient(await stranger.issue({ name: 'stranger' }))];
  for (const [at, options] of others.entries()) {
    const refused = await connected(port, options).catch(() => undefined);
    refused?.write(GET);
    t.equal(refused === undefined ? '' : await read(refused), '');
    await until('it is counted', () => faults.length === at + 1);
  }
  t.strictSame(faults, ['client_certificate', 'client_certificate']);
});

t.test('where one is asked for, a client may have none, but no bad one', async (t) => {
  const { port, connected, faults } = await aServer(t, { clients: 'request' });
  const without = await connected(port);
  without.write(GET);
  t.match(await read(without), /hello$/);
  const stranger = await Authority.open(t);
  const bad = await connected(port, await asClient(await stranger.issue({ name: 'stranger' })));
  bad.write(GET);
  t.match(
    await read(bad),
    /^HTTP\/1.1 400 [\s\S]*expected a client certificate that server.tls.clientCa vouches for/,
  );
  t.strictSame(faults, ['client_certificate']);
});

t.test('a session that is resumed shows the certificate it began with', async (t) => {
  const { port, connected, authority } = await aServer(t, { clients: 'require' });
  const good = await asClient(await authority.issue({ name: 'client', names: '' }));
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const first = await connected(port, { ...good, maxVersion });
    const [tickets, ticket]: [Buffer[], Buffer | undefined] = [[], first.getSession()];
    first.on('session', (ticket) => tickets.push(ticket));
    first.write(GET);
    await read(first);
    // The older version has it with the handshake.
    const session = maxVersion === 'TLSv1.3' ? tickets[0] : ticket;
    const second = await connected(port, { ...good, maxVersion, session });
    t.ok(second.isSessionReused(), maxVersion);
    second.write(GET);
    t.match(await read(second), /hello$/);
  }
});

t.test('a client that shuts its sending half gets its answer', async (t) => {
  const { port, connected } = await aServer(t);
  const socket = await connected(port, { allowHalfOpen: true } as object);
  socket.end(GET);
  t.match(await read(socket), /hello$/);
});

/** What a client of TLS begins with. */
async function clientHello(): Promise<Buffer> {
  const server = createServer();
  server.removeAllListeners('connection');
  const hello = new Promise<Buffer>((resolve) => {
    server.on('connection', (socket: Socket) => {
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  connectTls({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }).on(
    'error',
    () => undefined,
  );
  return hello.finally(() => server.close());
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
