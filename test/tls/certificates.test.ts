import { once } from 'node:events';
import { copyFile, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';

import type { LogEntry } from '../../src/core/log.ts';
import { Certificates } from '../../src/tls/certificates.ts';
import { secureServer } from '../../src/tls/secure-server.ts';
import type { TlsPaths } from '../../src/tls/tls-files.ts';
import { Authority, type PairFiles } from '../support/certificates.ts';
import { until } from '../support/until.ts';

const DAY_MS = 86_400_000;

type Parts = { readonly lookMs?: number; readonly wallMs?: () => number };

/** What the ports use, from files `tls.crt` and `tls.key` that can be replaced. */
async function opened(t: Test, { lookMs = 3_600_000, wallMs = Date.now }: Parts = {}) {
  const authority = await Authority.open(t);
  const at = (name: string): string => join(authority.folder, name);
  const paths: TlsPaths = { certificate: at('tls.crt'), key: at('tls.key') };
  const place = async ({ certificate, key }: PairFiles): Promise<void> => {
    await copyFile(certificate, paths.certificate);
    await copyFile(key, paths.key);
  };
  await place(await authority.issue({ name: 'first', days: 30 }));
  const entries: LogEntry[] = [];
  const log = (entry: LogEntry) => entries.push(entry);
  const certificates = await Certificates.open({
    ...{ paths, minVersion: 'TLSv1.2', log, lookMs },
    clock: { wallMs },
  });
  t.teardown(() => certificates.stop());
  const messages = (level: LogEntry['level']): string[] =>
    entries.flatMap((entry) => (entry.level === level ? entry.message : []));
  return { authority, certificates, paths, place, messages };
}

async function subjectAt(port: number): Promise<{ subject: string; socket: TLSSocket }> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return { subject: String(socket.getPeerCertificate().subject.CN), socket };
}

t.test('new files are used by new connections, and those that are open stay', async (t) => {
  const { authority, certificates, place, messages } = await opened(t, { lookMs: 20 });
  const server = createServer((_, response) => response.end('hello'));
  secureServer(server, {
    ...{ certificates, protocol: 'http/1.1', clients: undefined },
    onFault: () => undefined,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const before = await subjectAt(port);
  t.equal(before.subject, 'first');
  await place(await authority.issue({ name: 'second' }));
  await until('the second is shown', async () => {
    const { subject, socket } = await subjectAt(port);
    socket.destroy();
    return subject === 'second';
  });
  before.socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  t.match(String((await once(before.socket, 'data'))[0]), /^HTTP\/1.1 200 /);
  before.socket.destroy();
  t.match(messages('info'), [/^new certificate in use, valid until 2/]);
});

t.test('a renewal through a symbolic link, as Kubernetes makes them, is seen', async (t) => {
  const { authority, certificates, paths } = await opened(t);
  const next = await authority.issue({ name: 'next' });
  for (const [name, target] of [
    [paths.certificate, next.certificate],
    [paths.key, next.key],
  ] as const) {
    await symlink(target, `${name}.new`);
    await rename(`${name}.new`, name);
  }
  const before = certificates.context;
  t.equal(await certificates.refresh(), undefined);
  t.not(certificates.context, before);
});

t.test(
  'files that do not fit together keep what is in use, and the log says so once',
  async (t) => {
    const { authority, certificates, paths, messages } = await opened(t);
    const before = certificates.context;
    const other = await authority.issue({ name: 'other' });
    await copyFile(other.certificate, paths.certificate);
    t.match(await certificates.refresh(), /expected the private key of the certificate/);
    await certificates.refresh();
    t.equal(certificates.context, before);
    t.match(messages('error'), [/^the certificate in use is kept: server.tls.key/]);
    t.equal(messages('error').length, 1);
    await copyFile(other.key, paths.key);
    t.equal(await certificates.refresh(), undefined, 'the other half has come');
    t.not(certificates.context, before);
  },
);

t.test('a certificate that has expired does not replace a good one', async (t) => {
  let aheadMs = 0;
  const wallMs = () => Date.now() + aheadMs;
  const { authority, certificates, place } = await opened(t, { wallMs });
  await place(await authority.issue({ name: 'short', days: 10 }));
  aheadMs = 20 * DAY_MS;
  t.match(
    await certificates.refresh(),
    /expected a certificate that is valid, found one that expired at 2/,
  );
  aheadMs = 40 * DAY_MS;
  t.equal(await certificates.refresh(), undefined, 'the one in use is no better');
});

t.test('one that is not valid yet waits until it is', async (t) => {
  let aheadMs = 0;
  const { authority, certificates, place } = await opened(t, {
    wallMs: () => Date.now() + aheadMs,
  });
  await place(await authority.issue({ name: 'future' }));
  aheadMs = -DAY_MS / 2;
  const { server } = certificates.expiries();
  t.equal(await certificates.refresh(), undefined, 'neither is valid by that clock');
  t.ok(certificates.expiries().server >= server);
});

t.test('an end that is near, and one that has come, is said once each', async (t) => {
  let aheadMs = 0;
  const { messages } = await opened(t, { lookMs: 10, wallMs: () => Date.now() + aheadMs });
  t.strictSame(messages('warn'), []);
  aheadMs = 20 * DAY_MS;
  await until('it is said to be near', () => messages('warn').length > 0);
  aheadMs = 31 * DAY_MS;
  await until('it is said to have come', () => messages('error').length > 0);
  t.match(messages('warn'), [/^server.tls.certificate: it expires at 2.*renew it/]);
  t.match(messages('error'), [/^server.tls.certificate: it expired at 2.*clients refuse it/]);
});

t.test('a start with an expired certificate says so and goes on', async (t) => {
  const authority = await Authority.open(t);
  const paths = await authority.issue({ name: 'old', days: 5 });
  const entries: LogEntry[] = [];
  const certificates = await Certificates.open({
    ...{ paths: { ...paths, clientCa: authority.certificate }, minVersion: 'TLSv1.2' },
    log: (entry) => entries.push(entry),
    clock: { wallMs: () => Date.now() + 90 * DAY_MS },
  });
  t.teardown(() => certificates.stop());
  t.match(entries, [
    { level: 'error', message: /^server.tls.clientCa: .*expired at/ },
    { level: 'error', message: /^server.tls.certificate: it expired at/ },
  ]);
});

t.test('a start without the files ends with what is missing', async (t) => {
  const authority = await Authority.open(t);
  const pair = await authority.issue({ name: 'server' });
  await writeFile(pair.key, 'x');
  const options = {
    minVersion: 'TLSv1.2',
    log: () => undefined,
    clock: { wallMs: Date.now },
  } as const;
  await t.rejects(Certificates.open({ ...options, paths: pair }), { message: /^server.tls.key: / });
});
