/** What a credential, or the way a request is written, might get around: each attack gives what it got, and that has to be nothing. */
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { grpcClient } from '../interop/grpc-client.ts';
import { Authority, asClient } from '../support/certificates.ts';
import { HTTP_CALLS } from './calls.ts';
import { Faults } from './faults.ts';
import { type Answer, HttpCaller, type Sent } from './http-caller.ts';
import { QUOTA_BURST } from './place.ts';
import { CHANGE, forgeSessions } from './sessions.ts';
import { smuggle } from './smuggling.ts';
import type { Headers } from './strangers.ts';
import { callerOf, channelOf, grpcCallerOf, type Target } from './target.ts';
import { compareTimes } from './timing.ts';
import { askBeyondRoles } from './wrong-roles.ts';

export type Attack = {
  readonly ask: (target: Target) => Promise<readonly string[]>;
  /** What it changes where all is well, by its name in a snapshot: the ledger has sign-ins, and there are answers within a quota. */
  readonly mayChange?: 'ledger' | 'answered';
};

/** By what they are called in reports. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  'more than the role': { ask: askBeyondRoles },
  'a session without its second secret, of another site, after its end': {
    ask: forgeSessions,
    mayChange: 'ledger',
  },
  'names that lead here, and pages of other sites': { ask: rebind },
  'requests inside requests': { ask: smuggle },
  'more than the quota, in other words': { ask: exceedQuota, mayChange: 'answered' },
  'everything, on the port of the metrics': { ask: askMetricsPort },
  'certificates of strangers, and no TLS': { ask: showCertificates },
  'what is there, by the time it takes': { ask: compareTimes },
};

async function rebind(target: Target): Promise<readonly string[]> {
  const faults = new Faults();
  const key: Headers = [['authorization', `Bearer ${target.place.keys.admin}`]];
  const hosts = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:80',
    '[::1].evil.example',
    'localhost@evil.example',
  ];
  for (const port of ['http', 'admin'] as const) {
    const caller = callerOf(target, port);
    const path = port === 'http' ? '/v2/models/fashion' : '/api/v1/models';
    await faults.unless(
      `${port}: its own name`,
      [200],
      caller.send({ method: 'GET', path, headers: key }),
    );
    for (const host of hosts)
      await faults.unless(
        `${port}: host ${host}`,
        [400, 403, 421],
        caller.send({ method: 'GET', path, headers: [['host', host], ...key] }),
      );
    const twice: Headers = [['host', 'localhost'], ['host', 'evil.example'], ...key];
    await faults.unless(
      `${port}: two hosts`,
      [400],
      caller.send({ method: 'GET', path, headers: twice }),
    );
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example'])
      await faults.unless(
        `${port}: a page of ${origin}`,
        [403],
        caller.send(changeOn(port, [['origin', origin], ...key])),
      );
    caller.close();
  }
  const { place, ports } = target;
  for (const authority of hosts.slice(0, 3)) {
    const options = {
      'grpc.default_authority': authority,
      'grpc.ssl_target_name_override': 'localhost',
    };
    const client = grpcClient(`localhost:${ports.grpc}`, channelOf(place), options);
    const code = await codeOf(client.call('ServerMetadata', {}, metadataOf(key)));
    if (code === status.OK) faults.add(`grpc: authority ${authority}: answered`);
    client.close();
  }
  return faults.found;
}

function changeOn(port: 'http' | 'admin', headers: Headers): Sent {
  return port === 'admin'
    ? { ...CHANGE, headers }
    : { method: 'POST', path: '/v2/repository/models/fashion/load', body: {}, headers };
}

async function exceedQuota(target: Target): Promise<readonly string[]> {
  const infer = HTTP_CALLS.find(({ path }) => path === '/v2/models/fashion/infer');
  const headers: Headers = [['x-api-key', target.place.keys.quota]];
  const caller = callerOf(target, 'http', { connections: 4 });
  const grpc = grpcCallerOf(target);
  const paths = [
    '/v2/models/fashion/infer',
    '/v2/models/fashion/versions/1/infer',
    '/v2/models/%66ashion/infer',
    '/v2/models/fashion/infer?a=1',
  ];
  const answers = Array.from({ length: 12 }, (_, at) =>
    caller.send({
      method: 'POST',
      path: paths[at % paths.length] ?? '',
      headers,
      body: infer?.body,
    }),
  );
  const calls = Array.from({ length: 6 }, () =>
    codeOf(grpc.call('ModelInfer', { model_name: 'fashion' }, metadataOf(headers))),
  );
  const served = (await Promise.all(answers)).filter((answer) => answer.status !== 429).length;
  const called = (await Promise.all(calls)).filter((code) => code !== status.RESOURCE_EXHAUSTED);
  caller.close();
  grpc.close();
  const taken = served + called.length;
  if (taken === QUOTA_BURST) return [];
  return [`expected ${QUOTA_BURST} requests within the quota, found ${taken}`];
}

async function askMetricsPort(target: Target): Promise<readonly string[]> {
  const faults = new Faults();
  const caller = callerOf(target, 'metrics');
  const headers: Headers = [['authorization', `Bearer ${target.place.keys.admin}`]];
  for (const { plane: _plane, ...call } of HTTP_CALLS.filter(({ path }) => path !== '/metrics'))
    await faults.unless(
      `${call.method} ${call.path}`,
      [400, 404, 405, 415],
      caller.send({ ...call, headers }),
    );
  const { status: found, text } = await caller.send({
    method: 'GET',
    path: '/metrics',
    headers: [],
  });
  if (found !== 200) faults.add(`/metrics: ${found}`);
  for (const secret of [...Object.values(target.place.keys), ...Object.values(target.place.tokens)])
    if (text.includes(secret)) faults.add('/metrics shows a credential');
  caller.close();
  return faults.found;
}

async function showCertificates(target: Target): Promise<readonly string[]> {
  const { tls } = target.place;
  if (tls === undefined) return [];
  const faults = new Faults();
  const works: (() => unknown)[] = [];
  const strange = await Authority.open({ teardown: (work) => works.push(work) });
  const shown = {
    'of another authority': await asClient(await strange.issue({ name: 'operator' })),
    'of an unknown name': await asClient(await tls.authority.issue({ name: 'visitor' })),
    'of the name in a longer one': await asClient(await tls.authority.issue({ name: 'operator2' })),
    'that has expired': await asClient(
      await tls.authority.issue({ name: 'old', subject: '/CN=operator', days: -1 }),
    ),
  };
  const operator = await asClient(await tls.authority.issue({ name: 'operator' }));
  for (const port of ['http', 'admin'] as const) {
    const path = port === 'http' ? '/v2' : '/api/v1/models';
    const ask = async (pair: object): Promise<Answer> => {
      const caller = callerOf(target, port, { shown: pair });
      return await caller.send({ method: 'GET', path, headers: [] }).finally(() => caller.close());
    };
    await faults.unless(`${port}: a good certificate`, [200], ask(operator));
    for (const [what, pair] of Object.entries(shown))
      await faults.unless(`${port}: a certificate ${what}`, [400, 401, 403, 'closed'], ask(pair));
    const bare = new HttpCaller(target.ports[port], 1);
    const headers: Headers = [['authorization', `Bearer ${target.place.keys.admin}`]];
    await faults.unless(`${port}: no TLS`, [400], bare.send({ method: 'GET', path, headers }));
    bare.close();
  }
  for (const [what, { cert, key }] of Object.entries(shown)) {
    const pem = [tls.client.ca, key, cert].map((text) => Buffer.from(text));
    const [ca, own, chain] = pem as [Buffer, Buffer, Buffer];
    const client = grpcClient(
      `localhost:${target.ports.grpc}`,
      credentials.createSsl(ca, own, chain),
    );
    const code = await codeOf(client.call('ServerMetadata', {}));
    if (code === status.OK) faults.add(`grpc: a certificate ${what}: answered`);
    client.close();
  }
  for (const work of works.reverse()) await work();
  return faults.found;
}

function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.add(name, value);
  return metadata;
}

async function codeOf(call: Promise<unknown>): Promise<status> {
  return await call.then(
    () => status.OK,
    (error: ServiceError) => error.code,
  );
}
