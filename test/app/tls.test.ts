import { mkdir, rename } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';

import { type App, startApp } from '../../src/app.ts';
import { configOf } from '../../src/config/load.ts';
import { aClient } from '../protocol/grpc/builders.ts';
import { Authority, asClient } from '../support/certificates.ts';
import { until } from '../support/until.ts';

type Parts = { readonly tls?: object; readonly host?: string; readonly auth?: object };

/** A gateway without models whose ports speak TLS. */
async function aGateway(
  t: Test,
  authority: Authority,
  { tls, host = '127.0.0.1', auth }: Parts = {},
) {
  const address = `${host}:0`;
  const pair = await authority.issue({ name: 'server' });
  await mkdir(join(authority.folder, 'models'), { recursive: true });
  const values = {
    apiVersion: 'understudy/v1',
    server: {
      ...{ http: address, grpc: address, admin: address, metrics: address },
      tls: { ...pair, ...tls },
    },
    ...(auth && { auth }),
    repository: join(authority.folder, 'models'),
    ledger: join(authority.folder, 'ledger'),
    cache: join(authority.folder, 'cache'),
  };
  const config = configOf({ file: undefined, values });
  const app = await startApp({ config, log: () => undefined, feedbackSecret: undefined });
  t.teardown(() => app.close());
  return app;
}

type Answer = { readonly status: number | undefined; readonly text: string };

function get(port: number | undefined, path: string, options: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, agent: false, ...options },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode, text }));
      },
    );
    asked.on('error', reject).end();
  });
}

const portsOf = ({ httpPort, adminPort, metricsPort }: App) => ({
  httpPort,
  adminPort,
  metricsPort,
});

t.test('all four ports speak TLS', async (t) => {
  const authority = await Authority.open(t);
  const ca = await authority.ca();
  const app = await aGateway(t, authority);
  const { httpPort, adminPort, metricsPort } = portsOf(app);
  t.equal((await get(httpPort, '/v2/health/live', { ca })).status, 200);
  const { text } = await get(metricsPort, '/metrics', { ca });
  t.match(
    text,
    /^understudy_tls_certificate_expiry_timestamp_seconds\{certificate="server"\} \d+/m,
  );
  t.equal((await get(adminPort, '/metrics', { ca })).status, 200);
  for (const port of [httpPort, adminPort, metricsPort])
    t.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 400);
  const { text: failed } = await get(adminPort, '/metrics', { ca });
  for (const port of ['http', 'admin', 'metrics'])
    t.match(failed, `_handshakes_failed_total{port="${port}",reason="plaintext"} 1`);
  const client = aClient(app.grpcPort, credentials.createSsl(Buffer.from(ca)));
  t.teardown(() => client.close());
  t.match((await client.call('ServerLive')).answer, { live: true });
  const plain = aClient(app.grpcPort);
  t.teardown(() => plain.close());
  t.equal((await plain.call('ServerLive')).error?.code, status.UNAVAILABLE);
});

t.test('ports that are not named stay without TLS', async (t) => {
  const authority = await Authority.open(t);
  const app = await aGateway(t, authority, { tls: { ports: ['admin'] } });
  const ca = await authority.ca();
  t.equal((await get(app.adminPort, '/metrics', { ca })).status, 200);
  t.equal((await fetch(`http://127.0.0.1:${app.httpPort}/v2/health/live`)).status, 200);
});

t.test('localhost opens no second server beside the one with TLS', async (t) => {
  const authority = await Authority.open(t);
  const app = await aGateway(t, authority, { host: 'localhost' });
  for (const port of Object.values(portsOf(app)))
    for (const host of ['127.0.0.1', '[::1]']) {
      const answer = await fetch(`http://${host}:${port}/metrics`).catch(() => undefined);
      t.ok([undefined, 400].includes(answer?.status), `${host}:${port}`);
    }
});

t.test('a start without its files ends with what is wrong, and no port', async (t) => {
  const authority = await Authority.open(t);
  const key = join(authority.folder, 'none');
  await t.rejects(aGateway(t, authority, { tls: { key } }), {
    message: /^server.tls.key: expected a readable file/,
  });
});

t.test('a renewed certificate is used, and its end is the one in the metrics', async (t) => {
  const authority = await Authority.open(t);
  const ca = await authority.ca();
  const app = await aGateway(t, authority, { tls: { ports: ['metrics'] } });
  const endOf = async (): Promise<string> => {
    const { text } = await get(app.metricsPort, '/metrics', { ca });
    return /expiry_timestamp_seconds\{certificate="server"\} (\d+)/.exec(text)?.[1] ?? '';
  };
  const before = Number(await endOf());
  const next = await authority.issue({ name: 'next', days: 40 });
  for (const name of ['key', 'certificate'] as const)
    await rename(next[name], join(authority.folder, name === 'key' ? 'server.key' : 'server.crt'));
  t.ok(await until('the new one is there', async () => Number(await endOf()) > before));
});

t.test('a verified client certificate says who asks, on every port', async (t) => {
  const authority = await Authority.open(t);
  const ca = await authority.ca();
  const app = await aGateway(t, authority, {
    tls: { clientCa: authority.certificate, clients: 'request' },
    auth: {
      keys: join(authority.folder, 'keys'),
      grants: [{ to: 'certificate:operator', role: 'admin' }],
    },
  });
  const clientOf = async (name: string) => asClient(await authority.issue({ name, names: '' }));
  const [operator, other] = [await clientOf('operator'), await clientOf('other')];
  for (const [port, path] of [
    [app.httpPort, '/v2/models/m'],
    [app.adminPort, '/api/v1/models'],
  ] as const) {
    t.equal((await get(port, path, { ca })).status, 401, path);
    t.equal((await get(port, path, { ca, ...other })).status, 403, path);
    t.notOk([401, 403].includes((await get(port, path, { ca, ...operator })).status ?? 401), path);
  }
  const call = async ({ key, cert }: { key?: string; cert?: string }) => {
    const [own, chain] = [key && Buffer.from(key), cert && Buffer.from(cert)];
    const channel = credentials.createSsl(Buffer.from(ca), own || null, chain || null);
    const client = aClient(app.grpcPort, channel);
    t.teardown(() => client.close());
    const { error } = await client.call('ModelMetadata', { name: 'm' });
    return error?.code;
  };
  t.strictSame(
    [await call({}), await call(other), await call(operator)],
    [status.UNAUTHENTICATED, status.PERMISSION_DENIED, status.NOT_FOUND],
  );
});
