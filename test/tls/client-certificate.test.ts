import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';

import type { ClientCertificate } from '../../src/core/caller.ts';
import { alternativeNames, certificateOf } from '../../src/tls/client-certificate.ts';
import { aConversation } from '../protocol/grpc/builders.ts';
import { Authority, asClient, type PairOptions } from '../support/certificates.ts';
import { until } from '../support/until.ts';
import { read, secured } from './builders.ts';

/** A server that collects the certificates of its requests, and what a client with one of the authority gets there. */
async function aServer(t: Test) {
  const authority = await Authority.open(t);
  const { secure, connected } = await secured(t, authority, { clients: 'request' });
  const seen: (ClientCertificate | undefined)[] = [];
  const server = createServer(({ socket }, response) => {
    seen.push(certificateOf(socket));
    response.end();
  });
  secure(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const ask = async (pair?: PairOptions): Promise<ClientCertificate | undefined> => {
    const options = pair === undefined ? {} : await asClient(await authority.issue(pair));
    const socket = await connected(port, options);
    socket.write(
      'GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    );
    await read(socket);
    t.equal(seen.at(-1), seen.at(-2), 'made once for a connection');
    return seen.at(-1);
  };
  return { ask };
}

t.test('the names of a verified certificate are there', async (t) => {
  const { ask } = await aServer(t);
  const names = 'DNS:a.example,URI:spiffe://b/c,IP:10.0.0.1,DNS:d.example';
  t.strictSame(await ask({ name: 'client', subject: '/O=ops/CN=edge-proxy', names }), {
    commonName: 'edge-proxy',
    dnsNames: ['a.example', 'd.example'],
    uris: ['spiffe://b/c'],
  });
});

t.test('a client without a certificate has none', async (t) => {
  const { ask } = await aServer(t);
  t.equal(await ask(), undefined);
});

t.test('no name can be made of two, and none of several is chosen', async (t) => {
  const { ask } = await aServer(t);
  const subject = '/CN=first/CN=second';
  t.strictSame(await ask({ name: 'twice', subject, names: 'DNS:a.example' }), {
    commonName: undefined,
    dnsNames: ['a.example'],
    uris: [],
  });
  const one = await ask({ name: 'one', subject: '/CN=x\\nCN=admin', names: 'URI:spiffe://a' });
  t.match(one?.commonName, /^x.+CN=admin$/s);
});

t.test('alternative names are read as Node writes them', async (t) => {
  t.strictSame(alternativeNames(''), []);
  t.strictSame(alternativeNames('DNS:a, IP Address:10.0.0.1, URI:spiffe://a/b'), [
    { kind: 'DNS', value: 'a' },
    { kind: 'IP Address', value: '10.0.0.1' },
    { kind: 'URI', value: 'spiffe://a/b' },
  ]);
  t.strictSame(alternativeNames(String.raw`DNS:"a, DNS:\"evil", URI:b`), [
    { kind: 'DNS', value: 'a, DNS:"evil' },
    { kind: 'URI', value: 'b' },
  ]);
  t.strictSame(alternativeNames('DNS:"broken, DNS:evil'), []);
});

t.test('over HTTP/2 the socket of a session shows it too', async (t) => {
  const authority = await Authority.open(t);
  const { secure, connected } = await secured(t, authority, { protocol: 'h2', clients: 'request' });
  const seen: (ClientCertificate | undefined)[] = [];
  const { port } = await aConversation(t, {
    secure: (server) => {
      server.on('session', (session) => seen.push(certificateOf(session.socket)));
      secure(server);
    },
  });
  await connected(port, await asClient(await authority.issue({ name: 'client', names: '' })));
  await connected(port);
  await until('both have come', () => seen.length === 2);
  t.match(seen, [{ commonName: 'client' }, undefined]);
  t.equal(certificateOf({}), undefined);
});
