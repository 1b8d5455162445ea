import { once } from 'node:events';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import { createTimeSlicer } from '../../../src/concurrency/time-slicer.ts';
import type { Entrance } from '../../../src/core/entrance.ts';
import { ANY_ASKER } from '../../../src/core/entrance.ts';
import type { LabelSource } from '../../../src/core/label-source.ts';
import { addModelAssetRoutes } from '../../../src/protocol/max/routes.ts';
import { BodyMemory } from '../../../src/protocol/rest/body-memory.ts';
import type { RestRoute } from '../../../src/protocol/rest/route.ts';
import { createRoutes } from '../../../src/protocol/rest/routes.ts';
import { anEntrance, oneForEachRole } from '../../support/some-doors.ts';
import { aService } from '../builders.ts';
import { anInput, anyShare, aServer, inferCall, LIMITS, type ServerParts } from './builders.ts';

const ROUTES: readonly RestRoute[] = createRoutes({
  service: aService(),
  feedback: () => 'joined',
  limits: LIMITS,
  memory: new BodyMemory(),
  slicer: createTimeSlicer(),
  shareOf: anyShare,
  names: () => ({ allowed: [], isLoopback: true }),
  askerOf: () => ANY_ASKER,
});

function aLockedServer(parts: ServerParts = {}) {
  const { entrance, refused } = anEntrance(oneForEachRole('m'));
  const server = aServer({ entrance, ...parts });
  return { ...server, refused };
}

function addressOf(url: string, model = 'm'): string {
  return url.replace(':model', model).replace(':version', '1').replace(/:\w+/, 'x');
}

async function statusOf(app: FastifyInstance, { method, url }: RestRoute, key?: string) {
  const payload = method === 'POST' ? { payload: '{}' } : {};
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return (await app.inject({ method, url: addressOf(url), headers, ...payload })).statusCode;
}

t.test('every route is closed to callers without credentials but live and ready', async (t) => {
  const { app } = aLockedServer();
  t.ok(ROUTES.length > 40, `found ${ROUTES.length} routes`);
  const open = [];
  for (const route of ROUTES) {
    const status = await statusOf(app, route);
    if (status === 200) open.push(route.url);
    else t.equal(status, 401, `${route.method} ${route.url}`);
  }
  t.strictSame(open, ['/v2/health/live', '/v2/health/ready']);
});

t.test('every route is closed to callers without its role', async (t) => {
  const { app } = aLockedServer();
  for (const route of ROUTES) {
    const { needs } = route;
    if (needs === 'nothing') continue;
    const included = ['operate', 'admin'];
    for (const key of ['infer', 'label', 'view', 'operate', 'admin']) {
      const isEnough =
        key === needs.role ||
        ('or' in needs && key === needs.or) ||
        (included.includes(key) && needs.role !== 'admin' && needs.of !== 'all') ||
        key === 'admin';
      const isLet = isEnough && (needs.of !== 'all' || key === 'admin');
      const status = await statusOf(app, route, key);
      t.equal(status !== 403, isLet, `${route.method} ${route.url} as ${key}: ${status}`);
    }
  }
});

t.test("a model that is not the caller's is refused as one that there is not", async (t) => {
  const { app } = aLockedServer();
  const answerFor = async (model: string) => {
    const headers = { authorization: 'Bearer other' };
    const { statusCode, body } = await app.inject({ url: `/v2/models/${model}`, headers });
    return [statusCode, body.replaceAll(`"${model}\\"`, 'NAME')];
  };
  t.strictSame(await answerFor('m'), await answerFor('no-such-model'));
  t.equal((await answerFor('m'))[0], 403);
});

t.test('lists have no models but those of the caller', async (t) => {
  const entry = { version: '1', state: { kind: 'ready' } } as const;
  const index = async () => [
    { model: 'm', ...entry },
    { model: 'hidden', ...entry },
  ];
  const { app } = aLockedServer({
    repository: { index, load: async () => {}, unload: async () => {} },
  });
  const namesFor = async (key: string) => {
    const call = { method: 'POST', url: '/v2/repository/index', payload: '{}' } as const;
    const answer = await app.inject({ ...call, headers: { 'x-api-key': key } });
    return answer.json().map(({ name }: { readonly name: string }) => name);
  };
  t.strictSame(await namesFor('infer'), ['m']);
  t.strictSame(await namesFor('admin'), ['m', 'hidden']);
  t.strictSame(await namesFor('other'), []);
});

t.test('a caller is refused before its body comes', async (t) => {
  const server = aLockedServer();
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /v2/models/m/infer HTTP/1.1\r\nhost: a\r\ncontent-length: 90000\r\n\r\n');
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 401 .*www-authenticate: Bearer/is);
  socket.destroy();
});

/** What the server answers to these bytes, one status for each answer. */
async function statusesOf(t: Test, bytes: string, count: number): Promise<readonly string[]> {
  const server = aLockedServer();
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(bytes);
  let text = '';
  for await (const piece of socket) {
    text += String(piece);
    const found = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = '']) => status);
    if (found.length >= count) return found;
  }
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = '']) => status);
}

const LINE = 'GET /v2/models/m HTTP/1.1\r\nhost: a\r\n';

t.test('credentials that come twice are refused, in whichever order', async (t) => {
  for (const twice of [
    'authorization: Bearer infer\r\nauthorization: Bearer other\r\n',
    'authorization: Bearer other\r\nAuthorization: Bearer infer\r\n',
    'authorization: Bearer infer\r\nx-api-key: infer\r\n',
    'x-api-key: infer\r\nx-api-key: infer\r\n',
  ])
    t.strictSame(await statusesOf(t, `${LINE}${twice}\r\n`, 1), ['401'], twice);
});

t.test('a header that is folded, or has a space in its name, is no credential', async (t) => {
  for (const odd of [
    'authorization : Bearer infer\r\n',
    'x: y\r\n authorization: Bearer infer\r\n',
    'authorization: Bearer\r\n infer\r\n',
    'author\u0000ization: Bearer infer\r\n',
  ]) {
    const [status] = await statusesOf(t, `${LINE}${odd}\r\n`, 1);
    t.ok(status === '400' || status === '401', `${JSON.stringify(odd)}: ${status}`);
  }
});

t.test('credentials in trailers say nothing', async (t) => {
  const bytes =
    'POST /v2/repository/index HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: authorization\r\n\r\n' +
    '2\r\n{}\r\n0\r\nauthorization: Bearer admin\r\n\r\n';
  t.strictSame(await statusesOf(t, bytes, 1), ['401']);
});

t.test('each pipelined request is let in by its own key', async (t) => {
  const of = (key: string) => `${LINE}authorization: Bearer ${key}\r\n\r\n`;
  const bytes = [of('infer'), of('other'), `${LINE}\r\n`, of('infer')].join('');
  t.strictSame(await statusesOf(t, bytes, 4), ['200', '403', '401', '200']);
});

t.test('a caller that is found later is let in, and one that has gone holds nothing', async (t) => {
  const inner = anEntrance(oneForEachRole('m')).entrance;
  const later: Entrance = {
    enter: async (...asked) => {
      await new Promise((resolve) => setImmediate(resolve));
      return inner.enter(...asked);
    },
  };
  const { app } = aLockedServer({ entrance: later });
  const call = inferCall({ inputs: [anInput()] }, { 'x-api-key': 'infer' });
  t.equal((await app.inject(call)).statusCode, 200);
  t.equal((await app.inject({ ...call, headers: { 'x-api-key': 'none' } })).statusCode, 401);
});

t.test('a request carries its caller as far as the gateway', async (t) => {
  const seen: (string | undefined)[] = [];
  const { gateway } = aService();
  const { app } = aLockedServer({
    gateway: Object.assign(Object.create(gateway), {
      infer: (...asked: Parameters<typeof gateway.infer>) => {
        seen.push(asked[0].caller);
        return gateway.infer(...asked);
      },
    }),
  });
  await app.inject(inferCall({ inputs: [anInput()] }, { 'x-api-key': 'infer' }));
  t.strictSame(seen, ['key:infer']);
});

t.test('a label comes with its caller', async (t) => {
  const sources: LabelSource[] = [];
  const { app } = aLockedServer({
    feedback: (_token, _label, source) => {
      sources.push(source);
      return 'joined';
    },
  });
  const call = { method: 'POST', url: '/v1/feedback', payload: '{"token":"t","label":1}' } as const;
  t.equal((await app.inject({ ...call, headers: { 'x-api-key': 'view' } })).statusCode, 403);
  t.equal((await app.inject({ ...call, headers: { 'x-api-key': 'label' } })).statusCode, 200);
  t.equal(sources[0]?.asker.caller?.name, 'key:label');
});

t.test('every address of the Model Asset eXchange needs the role for its model', async (t) => {
  const server = aLockedServer();
  t.teardown(() => server.close());
  const found: string[] = [];
  server.app.addHook('onRoute', ({ method, url }) => {
    if (method === 'GET' || method === 'POST') found.push(`${method} ${url}`);
  });
  addModelAssetRoutes(server.app, {
    ...server,
    service: aService(),
    cors: false,
    bodyBytesMax: 1_000,
    model: {
      name: 'm',
      metadata: () => ({ id: 'm', name: 'm', description: '', type: '', source: '', license: '' }),
      labels: () => [],
      prepare: async () => [],
      explainer: () => () => [],
    },
  });
  await server.app.ready();
  t.equal(found.length, 5);
  for (const each of found) {
    const [method, url = ''] = each.split(' ');
    const call = { method: method as 'GET', url };
    t.equal((await server.app.inject(call)).statusCode, 401, each);
    const answer = await server.app.inject({ ...call, headers: { 'x-api-key': 'other' } });
    t.equal(answer.statusCode, 403, each);
  }
});
