import t from 'tap';
import { ServeError } from '../../../src/core/errors.ts';
import { anInput, aServer, inferCall, type ServerParts } from './builders.ts';

/** A server whose settings and models may be changed. */
function aDoor(parts: ServerParts = {}) {
  const changes: string[] = [];
  const { app } = aServer({
    settings: {
      log: () => ({ logInfo: true, logWarning: true, logError: true }),
      setLog: () => changes.push('log'),
    },
    repository: {
      index: async () => {
        changes.push('index');
        return [];
      },
      load: async () => void changes.push('load'),
      unload: async () => void changes.push('unload'),
    },
    ...parts,
  });
  const post = async (
    url: string,
    headers: Readonly<Record<string, string>>,
    payload = '{"log_info":true}',
  ): Promise<unknown> => {
    const answer = await app.inject({ method: 'POST', url, headers, payload });
    const { code } = answer.json() as { code?: string };
    return code === undefined ? answer.statusCode : [answer.statusCode, code];
  };
  return { app, changes, post };
}

const CONTROL = [
  ...['/v2/logging', '/v2/trace/setting', '/v2/models/m/trace/setting', '/v2/repository/index'],
  ...['/v2/repository/models/m/load', '/v2/repository/models/m/unload'],
];
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM = 'application/x-www-form-urlencoded';
const SIMPLE = ['text/plain', FORM, 'multipart/form-data; x=y'];
const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0' };

t.test('what any web page may send changes nothing', async (t) => {
  const { changes, post } = aDoor();
  for (const url of CONTROL) {
    for (const type of SIMPLE) {
      const refused = await post(url, { ...BROWSER, 'content-type': type });
      t.same(refused, [415, 'unsupported_media_type'], `${url} as ${type}`);
    }
    for (const origin of ['http://evil.example', 'null', 'http://localhost:3000']) {
      const headers = { ...JSON_TYPE, host: 'localhost:8000', origin };
      t.same(await post(url, headers), [403, 'origin_not_allowed'], `${url} from ${origin}`);
      // A body without a type is one that a page may send too.
      t.same(await post(url, { host: 'localhost:8000', origin }), [403, 'origin_not_allowed'], url);
    }
  }
  t.same(changes, []);
});

t.test('a name that leads here by rebinding is no name of ours', async (t) => {
  const { changes, post } = aDoor();
  const evil = { ...JSON_TYPE, host: 'evil.example:8000', origin: 'http://evil.example:8000' };
  t.same(await post('/v2/logging', evil), [403, 'origin_not_allowed']);
  t.same(changes, []);
  const { post: known } = aDoor({ allowedHosts: ['models.example'] });
  t.same(await known('/v2/logging', evil), [421, 'host_not_allowed']);
});

t.test('clients that are no pages do what they did', async (t) => {
  const { changes, post } = aDoor();
  const types = [{}, JSON_TYPE, { 'content-type': 'application/octet-stream' }];
  for (const headers of [...types, { 'content-type': 'Application/JSON; charset=utf-8' }])
    t.equal(await post('/v2/logging', headers), 200);
  t.equal(await post('/v2/repository/models/m/load', {}, ''), 200, 'curl -X POST');
  t.same(changes, ['log', 'log', 'log', 'log', 'load']);
});

t.test('what curl labels as a form is read, and what a browser does is not', async (t) => {
  const { changes, post } = aDoor();
  const form = { 'content-type': FORM };
  t.equal(await post('/v2/logging', { ...form, 'user-agent': 'curl/8.5.0' }), 200);
  const signs = [
    BROWSER,
    { referer: 'http://evil.example/' },
    { 'sec-fetch-site': 'cross-site' },
    { cookie: 'a=b' },
  ];
  for (const sign of signs)
    t.same(await post('/v2/logging', { ...form, ...sign }), [415, 'unsupported_media_type']);
  const text = { 'content-type': 'text/plain', 'user-agent': 'curl/8.5.0' };
  t.same(await post('/v2/logging', text), [415, 'unsupported_media_type']);
  t.same(changes, ['log']);
});

t.test('a page of this server may ask under a name that it has', async (t) => {
  const { post } = aDoor({ allowedHosts: ['models.example'] });
  const from = (host: string, origin: string) =>
    post('/v2/logging', { ...JSON_TYPE, host, origin });
  t.equal(await from('models.example', 'https://models.example'), 200);
  t.equal(await from('localhost:8000', 'http://localhost:8000'), 200);
  t.same(await from('models.example', 'https://other.example'), [403, 'origin_not_allowed']);
});

t.test('where names are configured, no other gets an answer', async (t) => {
  const { app } = aDoor({ allowedHosts: ['models.example'] });
  const call = inferCall({ inputs: [anInput()] });
  const statusUnder = async (host: string): Promise<number> =>
    (await app.inject({ ...call, headers: { host } })).statusCode;
  t.equal(await statusUnder('models.example:8000'), 200);
  t.equal(await statusUnder('127.0.0.1:8000'), 200, 'what looks after health comes by address');
  t.equal(await statusUnder('evil.example'), 421);
  const unknown = await app.inject({ url: '/nowhere', headers: { host: 'evil.example' } });
  t.match(unknown.json(), {
    error: /expected localhost or an IP address or models.example, found "evil.example"/,
  });
});

t.test('without names, inference is asked for under any', async (t) => {
  const { app } = aDoor();
  const origin = {
    host: 'any.example',
    origin: 'http://page.example',
    'content-type': 'text/plain',
  };
  const answer = await app.inject(inferCall({ inputs: [anInput()] }, origin));
  t.equal(answer.statusCode, 200);
});

t.test('a refused call is not read first', async (t) => {
  const { app } = aDoor({
    repository: {
      index: async () => [],
      unload: async () => {},
      load: async () => {
        throw new ServeError('internal', 'it came through');
      },
    },
  });
  const { port } = await listening(t, app);
  const headers = { origin: 'http://evil.example', 'content-type': 'application/json' };
  // The body never ends: only who does not wait for it can answer.
  const body = new ReadableStream({ start: (all) => all.enqueue(new Uint8Array(10)) });
  const abort = new AbortController();
  const url = `http://127.0.0.1:${port}/v2/repository/models/m/load`;
  const sent = { method: 'POST', headers, body, duplex: 'half', signal: abort.signal };
  const answer = await fetch(url, sent as RequestInit);
  t.equal(answer.status, 403);
  abort.abort();
});

async function listening(t: Tap, app: ReturnType<typeof aServer>['app']) {
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => {
    app.server.closeAllConnections();
    return app.close();
  });
  const address = app.server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0 };
}

type Tap = Pick<typeof t, 'teardown'>;
