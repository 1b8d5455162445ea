import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';

import { AdminClient } from '../../src/cli/admin-client.ts';
import { EXIT } from '../../src/cli/exit-code.ts';
import { readTlsFiles, type TlsFileOptions, type TlsFileTarget } from '../../src/cli/tls-files.ts';
import { certificateOf } from '../../src/tls/client-certificate.ts';
import { Authority } from '../support/certificates.ts';

const HTTPS = { isSecure: true, address: 'https://127.0.0.1:8002' };
const HTTP = { isSecure: false, address: 'http://127.0.0.1:8002' };

/** An admin port behind TLS that answers with the name of the client's certificate. */
async function anAdminPort(t: Test, authority: Authority, options: ServerOptions = {}) {
  const pair = await authority.issue({ name: 'server' });
  const [cert, key] = [await readFile(pair.certificate), await readFile(pair.key)];
  const server = createServer({ cert, key, ...options }, ({ socket }, response) => {
    response.end(JSON.stringify({ client: certificateOf(socket)?.commonName ?? 'none' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('a gateway whose authority is named is trusted, and no other', async (t) => {
  const authority = await Authority.open(t);
  const admin = await anAdminPort(t, authority);
  const client = new AdminClient({ admin, caFile: authority.certificate });
  t.strictSame(await client.get('/api/v1/models'), { client: 'none' });
  const other = await Authority.open(t);
  for (const options of [{ admin }, { admin, caFile: other.certificate }])
    await t.rejects(new AdminClient(options).get('/api/v1/models'), {
      exitCode: EXIT.unreachable,
      message: /Name the authority of its certificate with --ca-file/,
    });
});

t.test('a client certificate is shown where one is asked for', async (t) => {
  const authority = await Authority.open(t);
  const mutual = { requestCert: true, ca: await authority.ca() };
  const admin = await anAdminPort(t, authority, mutual);
  const { certificate: clientCert, key: clientKey } = await authority.issue({ name: 'operator' });
  const client = new AdminClient({ admin, caFile: authority.certificate, clientCert, clientKey });
  t.strictSame(await client.get('/api/v1/models'), { client: 'operator' });
});

t.test('files that do not fit the address or each other are refused', async (t) => {
  const authority = await Authority.open(t);
  const { certificate, key } = await authority.issue({ name: 'operator' });
  const other = await authority.issue({ name: 'other' });
  const text = join(authority.folder, 'text');
  await writeFile(text, 'hello');
  const cases: readonly [TlsFileOptions, TlsFileTarget, RegExp][] = [
    [{ caFile: certificate }, HTTP, /such as https:\/\/..., beside --ca-file/],
    [{ clientCert: certificate }, HTTPS, /^--client-cert: expected --client-key too/],
    [{ clientKey: key }, HTTPS, /^--client-key: expected --client-cert too/],
    [
      { caFile: join(authority.folder, 'none') },
      HTTPS,
      /^--ca-file: expected a readable file: .*ENOENT/,
    ],
    [{ caFile: text }, HTTPS, /^--ca-file: .*expected PEM/],
    [{ clientCert: certificate, clientKey: other.key }, HTTPS, /fit together: key values mismatch/],
  ];
  for (const [options, url, message] of cases)
    t.throws(() => readTlsFiles(options, url), { exitCode: EXIT.usage, message });
  t.strictSame(readTlsFiles({}, HTTP), {});
});
