import t from 'tap';
import { ServeError } from '../../../src/core/errors.ts';
import type { LoadRequest } from '../../../src/core/model-repository.ts';
import type { VersionStatistics } from '../../../src/gateway/model-statistics.ts';
import type { LogSettings } from '../../../src/protocol/server-settings.ts';
import { aGateway, aRoute, aVersion } from '../../gateway/builders.ts';
import { aServer, type ServerParts } from './builders.ts';

/** Asks a server, and gives the status and the JSON of the answer. */
function asking(parts: ServerParts = {}) {
  const { app } = aServer(parts);
  const ask = async (method: 'GET' | 'POST' | 'PUT' | 'HEAD', url: string, payload?: unknown) => {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const response = await app.inject({
      method,
      url,
      ...(payload === undefined ? {} : { payload: text }),
    });
    return [response.statusCode, response.payload === '' ? '' : response.json()];
  };
  return {
    get: (url: string) => ask('GET', url),
    post: (url: string, payload?: unknown) => ask('POST', url, payload),
    ask,
  };
}

function someStatistics(version: string, model = 'm'): VersionStatistics {
  const tally = { count: 1, ms: 2 };
  return {
    model,
    version,
    lastInferenceMs: 5,
    inferences: 1,
    executions: 1,
    success: tally,
    failure: { count: 0, ms: 0 },
    queue: tally,
    compute: tally,
    batches: [],
  };
}

t.test('the configuration of a model, and of a version by its alias', async (t) => {
  const versions = [aVersion('1'), aVersion('2', { platform: 'onnxruntime_other' })];
  const { get } = asking({ gateway: aGateway({ versions }) });
  t.match(await get('/v2/models/m/config'), [200, { name: 'm', max_batch_size: 8 }]);
  t.match(await get('/v2/models/m/config/?x=1'), [200, { name: 'm' }]);
  t.match(await get('/v2/models/m/versions/latest/config'), [200, { platform: /other/ }]);
  t.match(await get('/v2/models/q/config'), [404, { code: 'model_not_found' }]);
  t.match(await get('/v2/models/m/versions/9/config'), [404, { code: 'version_not_found' }]);
});

t.test('statistics of all models, of one, and of a version', async (t) => {
  const all = [someStatistics('1'), someStatistics('2'), someStatistics('1', 'stats')];
  const { get } = asking({
    gateway: aGateway({
      routes: [aRoute(), aRoute({ model: 'stats' })],
      versions: [aVersion('1'), aVersion('2')],
    }),
    statistics: (model, version) =>
      all.filter(
        (each) =>
          (model === undefined || each.model === model) &&
          (version === undefined || each.version === version),
      ),
  });
  const seen = async (url: string) => {
    const [status, body] = await get(url);
    t.equal(status, 200);
    return body.model_stats.map((each: { name: string; version: string }) => [
      each.name,
      each.version,
    ]);
  };
  t.same(await seen('/v2/models/stats'), [
    ['m', '1'],
    ['m', '2'],
    ['stats', '1'],
  ]);
  t.same(await seen('/v2/models/m/stats'), [
    ['m', '1'],
    ['m', '2'],
  ]);
  t.same(await seen('/v2/models/m/versions/latest/stats'), [['m', '2']]);
  t.match(await get('/v2/models/q/stats'), [404, { code: 'model_not_found' }]);
  t.match(await get('/v2/models/m/versions/9/stats'), [404, { code: 'version_not_found' }]);
  t.match(await get('/v2/models/stats/ready'), [200, { name: 'stats' }], 'a model of that name');
  t.match(await get('/v2/models/stats/versions/1'), [200, { name: 'stats' }]);
});

t.test('the repository lists its versions, or those that are ready', async (t) => {
  const { post } = asking({
    repository: {
      index: async () => [
        { model: 'm', version: '1', state: { kind: 'ready' } },
        { model: 'n', version: undefined, state: { kind: 'failed', reason: 'no' } },
      ],
      load: async () => {},
      unload: async () => {},
    },
  });
  const ready = { name: 'm', version: '1', state: 'READY' };
  const failed = { name: 'n', state: 'UNAVAILABLE', reason: 'no' };
  for (const body of [undefined, {}, { ready: false }]) {
    t.strictSame(await post('/v2/repository/index', body), [200, [ready, failed]]);
  }
  t.strictSame(await post('/v2/repository/index', { ready: true }), [200, [ready]]);
  t.match(await post('/v2/repository/index', { ready: 'yes' }), [
    400,
    { error: /ready: expected true or false, found "yes"/ },
  ]);
});

/** A repository that keeps what it was asked for. */
function aRecordingRepository() {
  const asked: [string, string, LoadRequest?][] = [];
  return {
    asked,
    repository: {
      index: async () => [],
      load: async (model: string, request: LoadRequest) =>
        void asked.push(['load', model, request]),
      unload: async (model: string) => void asked.push(['unload', model]),
    },
  };
}

t.test('models are loaded and unloaded by their name, however it is written', async (t) => {
  const { asked, repository } = aRecordingRepository();
  const { post } = asking({ repository });
  t.strictSame(await post('/v2/repository/models/m/load'), [200, {}]);
  t.strictSame(await post('/v2/repository/models/a%2Fb%20%C3%A9/load/', {}), [200, {}]);
  const parameters = { unload_dependents: true };
  t.strictSame(await post('/v2/repository/models/m/unload', { parameters }), [200, {}]);
  t.same(
    asked.map(([verb, model]) => [verb, model]),
    [
      ['load', 'm'],
      ['load', 'a/b é'],
      ['unload', 'm'],
    ],
  );
});

t.test('a load brings its configuration and its files along', async (t) => {
  const { asked, repository } = aRecordingRepository();
  const { post } = asking({ repository });
  const model = Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * 7) % 256));
  const config = JSON.stringify({ max_batch_size: '16', name: 'x'.repeat(5_000) });
  const parameters = {
    config,
    'file:1/model.onnx': model.toString('base64'),
    'file:1/labels.txt': Buffer.from('a\nb').toString('base64'),
    'file:1/empty': '',
  };
  t.strictSame(await post('/v2/repository/models/m/load', { parameters }), [200, {}]);
  const request = asked[0]?.[2];
  t.equal(request?.config, config);
  t.same(Object.fromEntries(request?.files ?? []), {
    '1/model.onnx': model,
    '1/labels.txt': Buffer.from('a\nb'),
    '1/empty': Buffer.alloc(0),
  });
});

t.test('what a load cannot use is refused, and nothing is loaded', async (t) => {
  const { asked, repository } = aRecordingRepository();
  const { post } = asking({ repository });
  const refused: readonly [unknown, number, RegExp][] = [
    ['nonsense', 400, /failed to parse the request JSON buffer/],
    ['{"parameters":{"config":"', 400, /failed to parse the request JSON buffer/],
    ['[]', 400, /request: expected a JSON object/],
    [{ parameters: [] }, 400, /parameters: expected a JSON object/],
    [{ parameters: { config: 7 } }, 400, /'config': expected JSON text, found 7/],
    [{ parameters: { colour: 'red' } }, 400, /parameter of a load: expected 'config' or 'file:/],
    ['{"parameters":{"__proto__":{"config":"{}"}}}', 400, /parameter of a load.*"__proto__"/],
    [{ parameters: { 'file:1/m': 'AAAA' } }, 400, /expected 'config' beside 'file:'/],
    [{ parameters: { config: '{}', 'file:../m': 'AAAA' } }, 400, /a path within the model's/],
    [{ parameters: { config: '{}', 'file:1/m': 'A?==' } }, 400, /expected base64 text/],
    [{ parameters: { config: '{}', 'file:1/m': 7 } }, 400, /expected base64 text, found 7/],
    [{ parameters: { config: '{}', 'file:1/m': ['AAAA'] } }, 400, /expected base64 text/],
    [`{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 400, /nested too deep: expected at most 100/],
    [`{"a":${'['.repeat(200)}`, 400, /nested too deep: expected at most 100 levels/],
    [{ a: Array(40_000).fill(1) }, 413, /expected at most 65536 bytes beside long strings/],
    [{ parameters: { config: '"'.repeat(300_000) } }, 413, /over the limit/],
    ['x'.repeat(100_001), 413, /expected at most 100000 bytes/],
  ];
  for (const [body, status, error] of refused) {
    t.match(await post('/v2/repository/models/m/load', body), [status, { error }], `${error}`);
  }
  t.match(await post('/v2/repository/models/m/unload', { parameters: { dependents: true } }), [
    400,
    { error: /parameter of an unload: expected 'unload_dependents', found "dependents"/ },
  ]);
  t.match(await post('/v2/repository/models/m/unload', { parameters: { unload_dependents: 1 } }), [
    400,
    { error: /'unload_dependents': expected true or false/ },
  ]);
  t.same(asked, []);
});

t.test('why a model cannot be loaded is answered with its status', async (t) => {
  const refusals: readonly [ServeError, number][] = [
    [new ServeError('not_allowed', 'explicit model load / unload is not allowed'), 503],
    [
      new ServeError('load_failed', "failed to load 'm', failed to poll from model repository"),
      400,
    ],
    [new ServeError('conflict', 'a rollout is under way'), 409],
    [new ServeError('model_not_found', "Request for unknown model: 'm'"), 404],
  ];
  for (const [error, status] of refusals) {
    const fail = async () => {
      throw error;
    };
    const { post } = asking({ repository: { index: async () => [], load: fail, unload: fail } });
    for (const verb of ['load', 'unload']) {
      const answer = await post(`/v2/repository/models/m/${verb}`);
      t.strictSame(answer, [status, { error: error.message, code: error.code }]);
    }
  }
});

t.test('there is one repository, and it has no name', async (t) => {
  const { post } = asking();
  for (const call of ['index', 'models/m/load', 'models/m/unload']) {
    t.match(await post(`/v2/repository/other/${call}`), [
      501,
      { error: /'repository_name' specification is not supported/, code: 'unsupported' },
    ]);
  }
});

t.test('the switches of the log take effect', async (t) => {
  let log: LogSettings = { logInfo: true, logWarning: true, logError: true };
  const { get, post } = asking({
    settings: {
      log: () => log,
      setLog: (changes) => {
        log = { ...log, ...changes };
      },
    },
  });
  t.strictSame(await get('/v2/logging'), [
    200,
    {
      log_file: '',
      log_info: true,
      log_warning: true,
      log_error: true,
      log_verbose_level: 0,
      log_format: 'default',
    },
  ]);
  t.match(await post('/v2/logging', { log_info: false }), [200, { log_info: false }]);
  t.equal(log.logInfo, false);
  t.match(await post('/v2/logging', { log_file: 'x.log' }), [
    501,
    { error: /log file location can not be updated through network protocol/ },
  ]);
  t.match(await post('/v2/logging', { log_info: 1 }), [400, { error: /true or false, found 1/ }]);
  const long = { log_file: 'x'.repeat(5_000) };
  t.match(await post('/v2/logging', long), [501, { error: /found "x+\.\.\.$|found "x+$/ }]);
});

t.test('tracing is off for the server and for each model, and stays off', async (t) => {
  const { get, post } = asking();
  const off = {
    trace_file: '',
    trace_level: ['OFF'],
    trace_rate: '1000',
    trace_count: '-1',
    log_frequency: '0',
    trace_mode: 'triton',
  };
  for (const url of ['/v2/trace/setting', '/v2/models/m/trace/setting']) {
    t.strictSame(await get(url), [200, off]);
    t.strictSame(await post(url, { trace_level: ['OFF'], trace_rate: null }), [200, off]);
    t.match(await post(url, { trace_level: ['TIMESTAMPS'] }), [501, { code: 'unsupported' }]);
    t.match(await post(url, { trace_file: 'x' }), [
      501,
      { error: /trace file location can not be updated through network protocol/ },
    ]);
    t.match(await post(url, { colour: 'x' }), [400, { code: 'invalid_input' }]);
  }
  const unknown = { error: 'Request for unknown model : does-not-exist' };
  t.match(await get('/v2/models/does-not-exist/trace/setting'), [404, unknown]);
  t.match(await post('/v2/models/does-not-exist/trace/setting', {}), [404, unknown]);
});

t.test('no region of shared memory is there, and none can be', async (t) => {
  const { get, post } = asking();
  for (const kind of ['system', 'cuda']) {
    const all = `/v2/${kind}sharedmemory`;
    t.strictSame(await get(`${all}/status`), [200, []]);
    t.strictSame(await get(`${all}/region/r/status`), [
      404,
      { error: `Unable to find ${kind} shared memory region: 'r'` },
    ]);
    t.strictSame(await post(`${all}/unregister`), [200, {}]);
    t.strictSame(await post(`${all}/region/r/unregister`), [200, {}]);
  }
  t.match(
    await post('/v2/systemsharedmemory/region/r/register', { key: '/test_shm', byte_size: 8 }),
    [501, { error: /^Unable to open shared memory region: '\/test_shm'/ }],
  );
  t.match(await post('/v2/cudasharedmemory/region/r/register', { device_id: 0 }), [
    501,
    { error: /^failed to register shared memory region 'r': invalid args/ },
  ]);
});

t.test('text generation is refused by name', async (t) => {
  const { post } = asking();
  for (const model of ['/v2/models/m', '/v2/models/m/versions/1']) {
    for (const call of ['generate', 'generate_stream']) {
      t.match(await post(`${model}/${call}`, { text_input: 'a' }), [
        501,
        { error: /text generation is not served: expected POST \/v2\/models\/m\/infer/ },
      ]);
    }
  }
});

t.test('a known path refuses the verbs that it has not, by name', async (t) => {
  const { ask } = asking();
  const refused: readonly ['GET' | 'POST' | 'PUT', string, RegExp][] = [
    ['POST', '/v2', /expected GET, HEAD, found POST/],
    ['POST', '/v2/models/stats', /expected GET, HEAD, found POST/],
    ['POST', '/v2/models/m/config', /expected GET, HEAD, found POST/],
    ['GET', '/v2/repository/index', /expected POST, found GET/],
    ['GET', '/v2/repository/models/m/load', /expected POST, found GET/],
    ['PUT', '/v2/logging', /expected GET, HEAD, POST, found PUT/],
    ['PUT', '/v2/models/m/trace/setting', /expected GET, HEAD, POST, found PUT/],
  ];
  for (const [method, url, error] of refused)
    t.match(await ask(method, url), [405, { error }], url);
  t.match(await ask('HEAD', '/v2/logging'), [200, '']);
  for (const url of ['/v2/models', '/v2/models/m/versions', '/v2/repository', '/v2/x', '/']) {
    t.strictSame(await ask('GET', url), [404, { error: 'Not Found' }], url);
  }
});
