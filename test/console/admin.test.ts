import { connect } from 'node:net';
import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';
import { createAdminServer } from '../../src/console/admin.ts';
import { ServeError } from '../../src/core/errors.ts';
import { HEALTHY } from '../../src/ledger/ledger.ts';
import { aSpec, evidenceOf, World } from '../rollout/builders.ts';
import { anAdmin } from './an-admin.ts';

const ROLLOUT = '/api/v1/models/fashion/rollout';
const ROUTE = '/api/v1/models/fashion/route';

t.test('starts, shows and ends a rollout', async (t) => {
  const world = new World();
  const { app, controller } = await anAdmin(world);
  t.match((await app.inject(ROLLOUT)).json(), { code: 'no_rollout' });
  const started = await app.inject({ method: 'POST', url: ROLLOUT, payload: { candidate: '2' } });
  t.equal(started.statusCode, 202, 'it is being loaded');
  t.match(started.json(), {
    rolloutId: 'fashion-2-1',
    revision: 1,
    phase: 'loading',
    plan: { requestsPerSecond: 50, failuresSeen: Number, isTooLong: false },
  });
  await controller.loaded('fashion');
  world.evidence = evidenceOf('pass', 7);
  await controller.tick();
  await controller.tick();
  t.match((await app.inject(ROLLOUT)).json(), {
    id: 'fashion-2-1',
    phase: 'progressing',
    step: { number: 3, of: 6, kind: 'setWeight' },
    setWeightBp: 1000,
    actualWeightBp: 1000,
    verdict: 'pass',
    metrics: [{ label: 'pairedErrors', finding: 'nonInferior', samples: 1240 }],
    candidateRequests: 7,
    minRequests: 100,
    digests: { stable: 'digest-1', candidate: 'digest-2' },
    headHash: /^[0-9a-f]{64}$/,
  });
  const twice = await app.inject({
    method: 'POST',
    url: '/api/v1/rollouts',
    payload: { model: 'fashion', candidate: '3' },
  });
  t.equal(twice.statusCode, 409);
  t.match(twice.json(), { code: 'rollout_running', error: /fashion-2-1/ });
  const aborted = await app.inject({
    method: 'POST',
    url: `${ROLLOUT}/abort`,
    payload: { reason: 'enough' },
  });
  t.equal(aborted.statusCode, 200);
  t.match((await app.inject('/api/v1/rollouts')).json(), {
    rollouts: [{ phase: 'aborted', why: 'enough' }],
  });
});

t.test('changes a route at the revision that was read', async (t) => {
  const world = new World();
  const { app } = await anAdmin(world);
  const { revision } = (await app.inject(ROUTE)).json();
  const change = {
    revision,
    stable: '1',
    split: { '1': 97.5, '3': 2.5 },
    mirror: { version: '2', percentage: 20 },
  };
  const changed = await app.inject({ method: 'PUT', url: ROUTE, payload: change });
  t.match(changed.json(), { revision: revision + 1 });
  t.equal(world.shares(), 'other=3:250 stable=1:9750 mirror');
  const late = await app.inject({ method: 'PUT', url: ROUTE, payload: change });
  t.equal(late.statusCode, 409);
  t.match(late.json(), { code: 'revision_moved' });
});

t.test('says what was expected and what was found of a bad body', async (t) => {
  const { app, ledger } = await anAdmin(new World());
  const split = { '1': 100 };
  const cases = [
    ['PUT', ROUTE, [], /the body: expected a JSON object, found a list/],
    ['PUT', ROUTE, { stable: '1', split }, /revision: expected .* found nothing/],
    [
      'POST',
      `${ROLLOUT}/extend`,
      { reason: 'more', for: 'long' },
      /for: expected a duration such as 500ms, 30s, 15m or 24h, found "long"/,
    ],
    [
      'PUT',
      ROUTE,
      { revision: 1, stable: 1.5, split },
      /stable: expected a version: .*, found 1.5/,
    ],
    [
      'PUT',
      ROUTE,
      { revision: 1, stable: '1', split: { '1': 99 } },
      /split: expected shares that add to 100 percent, found 99 /,
    ],
    [
      'PUT',
      ROUTE,
      { revision: 1, stable: '1', split: { '1': 99.999, '2': 0.001 } },
      /^split\.1: expected percent with at most two decimals, found 99.999; split\.2: /,
    ],
    ['PUT', ROUTE, { revision: 1, stable: '1', split, weight: 5 }, /^weight: unknown key "weight"/],
    [
      'PUT',
      ROUTE,
      { revision: 1, stable: '1', split, mirror: { version: '2' } },
      /mirror.percentage/,
    ],
    ['POST', ROLLOUT, {}, /candidate: expected a version/],
    [
      'POST',
      '/api/v1/rollouts',
      { candidate: '2' },
      /^model: expected the name of a model, found nothing/,
    ],
    [
      'POST',
      `${ROLLOUT}/abort`,
      { reason: ' ' },
      /^reason: expected a reason of 1 to 1000 characters, found ""/,
    ],
    ['POST', `${ROLLOUT}/promote`, undefined, /the body: expected a JSON object/],
  ] as const;
  for (const [method, url, payload, error] of cases) {
    const answer = await app.inject({ method, url, ...(payload !== undefined && { payload }) });
    t.match(
      { status: answer.statusCode, ...answer.json() },
      { status: 400, code: 'invalid_input', error },
    );
  }
  const proto = await app.inject({
    method: 'POST',
    url: ROLLOUT,
    headers: { 'content-type': 'application/json' },
    payload: '{"candidate":"2","margins":{"__proto__":{}}}',
  });
  t.match(proto.json(), { code: 'invalid_input', error: /^margins\.__proto__: expected another/ });
  t.equal(ledger.records().length, 0, 'what is no command is not on record');
});

t.test('a request that comes too early is refused, and is no fault of the gateway', async (t) => {
  const { app, faults } = await anAdmin(new World(), {
    reload: async () => {
      throw new ServeError('version_not_ready', 'm: its package is being read');
    },
  });
  const answer = await app.inject({ method: 'POST', url: '/api/v1/models/fashion/reload' });
  t.equal(answer.statusCode, 503);
  t.match(answer.json(), { code: 'version_not_ready' });
  t.same(faults, []);
});

t.test('answers errors with one shape and keeps faults to itself', async (t) => {
  const { app, faults } = await anAdmin(new World(), {
    models: () => {
      throw new Error('secret detail');
    },
    bodyBytesMax: 100,
  });
  const status = async (options: object): Promise<unknown> => {
    const answer = await app.inject({ method: 'POST', url: ROLLOUT, ...options });
    return [answer.statusCode, answer.json().code];
  };
  const json = { 'content-type': 'application/json' };
  t.same(await status({ method: 'GET', url: '/nowhere' }), [404, 'not_found']);
  t.same(await status({ method: 'GET', url: '/api/v1/models/x/route' }), [404, 'model_not_found']);
  t.same(await status({ headers: json, payload: '{"a":' }), [400, 'invalid_input']);
  t.same(await status({ payload: { candidate: 'x'.repeat(200) } }), [413, 'too_large']);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  t.same(await status({ headers: form, payload: 'candidate=2' }), [415, 'unsupported']);
  const text = { 'content-type': 'text/plain' };
  t.same(await status({ headers: text, payload: '{"candidate":"2"}' }), [415, 'unsupported']);
  t.same(await status({ method: 'GET', url: '/api/v1/models' }), [500, 'internal']);
  t.same(faults, ['admin: Error: secret detail']);
});

t.test('no web page of another origin, or under another name, gets anything done', async (t) => {
  const reloaded: string[] = [];
  const reload = async (model: string) => reloaded.push(model);
  const { app } = await anAdmin(new World(), { reload });
  const ask = async (headers: Readonly<Record<string, string>>): Promise<unknown> => {
    const url = '/api/v1/models/fashion/reload';
    const answer = await app.inject({ method: 'POST', url, headers });
    return [answer.statusCode, answer.json().code];
  };
  const host = 'localhost:8002';
  t.same(await ask({ host: 'evil.example:8002' }), [421, 'host_not_allowed']);
  t.same(await ask({ host: '10.0.0.1:8002' }), [421, 'host_not_allowed']);
  for (const origin of ['http://evil.example', 'null', 'http://localhost:3000', 'file://', ''])
    t.same(await ask({ host, origin }), [403, 'origin_not_allowed'], origin);
  const rebound = 'http://evil.example:8002';
  t.same(await ask({ host: 'evil.example:8002', origin: rebound }), [421, 'host_not_allowed']);
  t.same(reloaded, []);
  await ask({ host });
  await ask({ host, origin: `http://${host}` });
  await ask({ host: '127.0.0.2:8002' });
  t.same(reloaded, ['fashion', 'fashion', 'fashion']);
});

t.test('a port on any loopback address asks for the name as well', async (t) => {
  const { app, listen } = await anAdmin(new World());
  t.teardown(() => app.close());
  await listen('127.0.0.2', 0);
  const answer = await app.inject({ url: '/healthz', headers: { host: 'evil.example' } });
  t.equal(answer.statusCode, 421);
});

t.test('serves health, models and metrics on a loopback port', async (t) => {
  const { controller } = new World().boot();
  let isReady = false;
  const server = createAdminServer({
    controller,
    specFrom: async () => aSpec(),
    requestsPerSecond: () => undefined,
    models: async () => ({ models: [{ model: 'fashion' }], isFresh: true }),
    reload: async (model) => ({ model }),
    lookAt: async () => undefined,
    reloadConfig: async () => ({ changes: [], notes: [], dryRun: false }),
    label: () => 'joined',
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
    ledger: () => ({ ...HEALTHY, unrecorded: 0 }),
    ready: () => isReady,
    onInternalError: () => {},
  });
  const { port } = await server.listen('127.0.0.1', 0);
  t.teardown(() => server.close());
  const at = `http://127.0.0.1:${port}`;
  t.equal((await fetch(`${at}/healthz`)).status, 503);
  isReady = true;
  t.same(await (await fetch(`${at}/healthz`)).json(), {
    ready: true,
    fenced: false,
    ledger: { state: 'healthy', unrecorded: 0 },
  });
  t.same(await (await fetch(`${at}/api/v1/models`)).json(), {
    models: [{ model: 'fashion' }],
    isFresh: true,
  });
  const metrics = await fetch(`${at}/metrics`);
  t.equal(await metrics.text(), 'up 1\n');
  t.match(metrics.headers.get('content-type'), /^text\/plain; version=0.0.4/);
});

/** Sends bytes, and the end of all that it will send where asked; resolves with what came back when the other side closes. */
function exchange(port: number, bytes: string, isEnd: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setEncoding('latin1').on('error', reject);
    socket.on('data', (piece) => {
      text += String(piece);
    });
    socket.on('end', () => {
      socket.destroy();
      resolve(text);
    });
    if (isEnd) socket.end(bytes);
    else socket.write(bytes);
  });
}

t.test('a caller that shuts down its sending half gets its answer', async (t) => {
  const half = deferred<void>();
  const models = async () => {
    await half.promise;
    return { models: [{ model: 'late' }], isFresh: true };
  };
  const { app, listen } = await anAdmin(new World(), { models });
  t.teardown(() => app.close());
  const { port } = await listen('127.0.0.1', 0);
  app.server.once('connection', (socket) => socket.once('end', () => setImmediate(half.resolve)));
  const request = 'GET /api/v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n';
  t.match(await exchange(port, request, true), /^HTTP\/1.1 200 .*"late"/s);
});

t.test('a body that does not arrive in time is cut off', async (t) => {
  const { app, listen } = await anAdmin(new World(), { receiveMsMax: 200 });
  t.teardown(() => app.close());
  const { port } = await listen('127.0.0.1', 0);
  const head = `POST ${ROLLOUT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  const answer = await exchange(port, `${head}content-length: 9\r\n\r\n{`, false);
  t.match(answer, /^HTTP\/1.1 408 /);
});

t.test(
  'a reload of the configuration needs a reason, and says what stands in the way',
  async (t) => {
    const asked: unknown[] = [];
    let answer: object = { changes: [], notes: [], dryRun: true };
    const { app } = await anAdmin(new World(), {
      reloadConfig: async (request) => {
        asked.push(request);
        return answer;
      },
    });
    t.teardown(() => app.close());
    const post = async (payload: object) => {
      const { statusCode, body } = await app.inject({
        method: 'POST',
        url: '/api/v1/config/reload',
        headers: { host: 'localhost' },
        payload,
      });
      return [statusCode, JSON.parse(body)];
    };
    t.same(await post({ reason: 'a test', dryRun: true }), [200, answer]);
    const by = { caller: 'anonymous', address: '127.0.0.1' };
    t.same(asked, [{ reason: 'a test', isDryRun: true, by }]);
    t.match(await post({}), [
      400,
      { code: 'invalid_input', error: /^reason: expected a reason of 1 to 1000/ },
    ]);
    t.match(await post({ reason: 'a test', dryRun: 'yes' }), [400, { error: /^dryRun: expected/ }]);
    t.match(await post({ reason: 'a test', file: '/etc/passwd' }), [
      400,
      { error: /^file: unknown key "file"/ },
    ]);
    answer = { kind: 'refused', code: 'rollout_running', why: 'a rollout is running' };
    t.same(await post({ reason: 'a test' }), [
      409,
      { code: 'rollout_running', error: 'a rollout is running' },
    ]);
  },
);

t.test(
  'a model name is as long as on the data plane, and a path that is none is refused in form',
  async (t) => {
    const { app } = await anAdmin(new World());
    const answerTo = async (name: string) => {
      const answer = await app.inject(`/api/v1/models/${name}/rollout`);
      return { status: answer.statusCode, ...answer.json() };
    };
    t.match(await answerTo('m'.repeat(512)), { status: 404, error: /^no / });
    for (const name of ['m'.repeat(513), '%zz']) {
      const { status, error, code } = await answerTo(name);
      t.ok(status >= 400 && status < 500, `${status}`);
      t.match(error, /\S/);
      t.equal(code, 'invalid_input');
    }
  },
);

t.test('the admin API takes labels', async (t) => {
  const seen: unknown[] = [];
  const { app } = await anAdmin(new World(), {
    label: (labelled) => {
      seen.push(labelled);
      return labelled.label === 1 ? 'joined' : 'waiting';
    },
  });
  const send = async (payload: object) => {
    const url = '/api/v1/models/fashion/labels';
    const answer = await app.inject({ method: 'POST', url, payload });
    return [answer.statusCode, answer.json()];
  };
  t.match(await send({ token: 'a', label: 1 }), [200, { result: 'joined', state: 'joined' }]);
  t.match(await send({ token: 'b', label: 'coat' }), [
    202,
    { result: 'waiting', why: /under way/ },
  ]);
  t.match(await send({ id: 'mine', label: 1 }), [200, { state: 'joined' }]);
  t.match(await send({ id: 'mine', token: 'a', label: 1 }), [400, { error: /token or id/ }]);
  t.match(await send({ token: 'a' }), [400, { error: /label/ }]);
  t.match(await send({ label: 1 }), [400, { error: /token/ }]);
  t.match(seen, [{ target: { token: 'a' } }, {}, { target: { id: 'mine', model: 'fashion' } }]);
  t.equal(seen.length, 3);
});
