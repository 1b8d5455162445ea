import t from 'tap';
import { ServeError } from '../../src/core/errors.ts';
import type { VersionState } from '../../src/core/version.ts';
import { EXTENSIONS } from '../../src/protocol/extensions.ts';
import { readLoadRequest } from '../../src/protocol/load-request.ts';
import { updateLogSettings } from '../../src/protocol/log-settings.ts';
import { refusalOf, unexpected } from '../../src/protocol/refusal.ts';
import { repositoryIndexOf } from '../../src/protocol/repository-index.ts';
import type { LogSettings, ServerSettings } from '../../src/protocol/server-settings.ts';
import { registrationRefusal } from '../../src/protocol/shared-memory.ts';
import { modelStatsOf } from '../../src/protocol/statistics.ts';
import {
  checkTraceSettings,
  TRACE_SETTINGS,
  unknownTracedModel,
} from '../../src/protocol/trace-settings.ts';

t.test('statistics have all fields, as numbers, times in nanoseconds', async (t) => {
  const stats = modelStatsOf({
    model: 'm',
    version: '2',
    lastInferenceMs: 1_700_000_000_000.5,
    inferences: 7,
    executions: 3,
    success: { count: 5, ms: 20.5 },
    failure: { count: 1, ms: 2 },
    queue: { count: 5, ms: 1 },
    compute: { count: 5, ms: 12 },
    batches: [{ rows: 4, compute: { count: 1, ms: 4 } }],
  });
  t.same(stats, {
    name: 'm',
    version: '2',
    last_inference: 1_700_000_000_000,
    inference_count: 7,
    execution_count: 3,
    inference_stats: {
      success: { count: 5, ns: 20_500_000 },
      fail: { count: 1, ns: 2_000_000 },
      queue: { count: 5, ns: 1_000_000 },
      compute_input: { count: 5, ns: 0 },
      compute_infer: { count: 5, ns: 12_000_000 },
      compute_output: { count: 5, ns: 0 },
      cache_hit: { count: 0, ns: 0 },
      cache_miss: { count: 0, ns: 0 },
    },
    batch_stats: [
      {
        batch_size: 4,
        compute_input: { count: 1, ns: 0 },
        compute_infer: { count: 1, ns: 4_000_000 },
        compute_output: { count: 1, ns: 0 },
      },
    ],
    memory_usage: [],
    response_stats: {},
  });
});

t.test('the index says the state of each version, and why one is not there', async (t) => {
  const states: readonly [VersionState, object][] = [
    [{ kind: 'loading' }, { state: 'LOADING' }],
    [{ kind: 'ready' }, { state: 'READY' }],
    [{ kind: 'draining' }, { state: 'UNLOADING' }],
    [{ kind: 'unloaded' }, { state: 'UNAVAILABLE', reason: 'unloaded' }],
    [
      { kind: 'failed', reason: 'no' },
      { state: 'UNAVAILABLE', reason: 'no' },
    ],
  ];
  const entries = states.map(([state], at) => ({ model: 'm', version: String(at), state }));
  t.same(
    repositoryIndexOf(entries, { ready: false }),
    states.map(([, said], at) => ({ name: 'm', version: String(at), ...said })),
  );
  t.same(repositoryIndexOf(entries, { ready: true }), [
    { name: 'm', version: '1', state: 'READY' },
  ]);
});

t.test('a model without versions is listed by its name alone', async (t) => {
  const entry = {
    model: 'm',
    version: undefined,
    state: { kind: 'failed', reason: 'no' },
  } as const;
  t.same(repositoryIndexOf([entry], { ready: false }), [
    { name: 'm', state: 'UNAVAILABLE', reason: 'no' },
  ]);
});

function someSettings(): ServerSettings {
  let log: LogSettings = { logInfo: true, logWarning: true, logError: true };
  return {
    log: () => log,
    setLog: (changes) => {
      log = { ...log, ...changes };
    },
  };
}

t.test('the switches of the log are changed, and what stays as it is may be said', async (t) => {
  const settings = someSettings();
  const changes = { log_info: false, log_error: null, log_file: '', log_verbose_level: 0 };
  t.same(updateLogSettings(settings, changes), {
    log_file: '',
    log_info: false,
    log_warning: true,
    log_error: true,
    log_verbose_level: 0,
    log_format: 'default',
  });
  t.equal(settings.log().logInfo, false);
});

t.test('a change of the log that cannot be made changes nothing', async (t) => {
  const refused: readonly [Readonly<Record<string, unknown>>, string, RegExp][] = [
    [
      { log_file: 'a.log' },
      'unsupported',
      /log file location can not be updated through network protocol.*found "a.log"/,
    ],
    [{ log_verbose_level: 1 }, 'unsupported', /log_verbose_level cannot be changed: expected 0/],
    [{ log_format: 'ISO8601' }, 'unsupported', /expected "default", found "ISO8601"/],
    [{ log_info: 'no' }, 'invalid_input', /log_info: expected true or false, found "no"/],
    [{ log_colour: true }, 'invalid_input', /log setting: expected one of log_file.*"log_colour"/],
  ];
  for (const [changes, code, message] of refused) {
    const settings = someSettings();
    t.throws(() => updateLogSettings(settings, { log_error: false, ...changes }), {
      code,
      message,
    });
    t.equal(settings.log().logError, true);
  }
});

t.test('a trace setting may be set to what it is, and to nothing else', async (t) => {
  checkTraceSettings({ ...TRACE_SETTINGS, trace_count: null, trace_rate: '1000', trace_mode: [] });
  const refused: readonly [Readonly<Record<string, unknown>>, string, RegExp][] = [
    [{ trace_level: ['TIMESTAMPS'] }, 'unsupported', /expected trace_level 'OFF'/],
    [{ trace_level: ['OFF', 'TENSORS'] }, 'unsupported', /not traced/],
    [{ trace_rate: '1' }, 'unsupported', /expected trace_rate '1000', found "1"/],
    [
      { trace_file: 'a.json' },
      'unsupported',
      /trace file location can not be updated through network protocol/,
    ],
    [{ trace_colour: '1' }, 'invalid_input', /trace setting: expected one of trace_file/],
  ];
  for (const [changes, code, message] of refused) {
    t.throws(() => checkTraceSettings(changes), { code, message });
  }
  t.match(unknownTracedModel('q'), {
    code: 'model_not_found',
    message: 'Request for unknown model : q',
  });
});

t.test('a region of shared memory is refused in the words that clients look for', async (t) => {
  t.match(registrationRefusal('system', { region: 'r', key: '/test_shm' }), {
    code: 'unsupported',
    message: /^Unable to open shared memory region: '\/test_shm'/,
  });
  t.match(registrationRefusal('cuda', { region: 'r' }), {
    code: 'unsupported',
    message: /^failed to register shared memory region 'r': invalid args/,
  });
});

const contentOf = (value: unknown): Uint8Array => Buffer.from(String(value));

t.test('a model is loaded as it is, with a configuration, or with files of its own', async (t) => {
  t.same(readLoadRequest({}, contentOf), { config: undefined, files: new Map() });
  t.equal(readLoadRequest({ config: '{}' }, contentOf).config, '{}');
  const { files } = readLoadRequest({ 'file:1/model.onnx': 'x', config: '{}' }, contentOf);
  t.same([...files], [['1/model.onnx', Buffer.from('x')]]);
});

t.test('files stay within the model, and come with a configuration', async (t) => {
  const names = ['', '/etc/x', '../x', '1/../../x', '1/./x', '1//x', '1\\x', '1/', 'a\0b', '..'];
  for (const name of names) {
    t.throws(() => readLoadRequest({ config: '{}', [`file:${name}`]: 'x' }, contentOf), {
      code: 'invalid_input',
      message: /file name: expected 'file:' and a path within the model's folder/,
    });
  }
  t.throws(() => readLoadRequest({ 'file:1/model.onnx': 'x' }, contentOf), {
    code: 'invalid_input',
    message: /expected 'config' beside 'file:' parameters/,
  });
  t.throws(() => readLoadRequest({ config: 1 }, contentOf), { message: /expected JSON text/ });
  t.throws(() => readLoadRequest({ colour: 1 }, contentOf), {
    message: /parameter of a load: expected 'config' or 'file:<path>', found "colour"/,
  });
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`file:1/${at}`, 'x']));
  t.throws(() => readLoadRequest({ config: '{}', ...many }, contentOf), { code: 'too_large' });
});

t.test('a refusal has the id of its request in front', async (t) => {
  const error = new ServeError('overloaded', 'full', { retryAfterMs: 5 });
  t.equal(refusalOf(error, undefined), error);
  t.equal(refusalOf(error, ''), error);
  t.match(refusalOf(error, 'a-1'), {
    code: 'overloaded',
    message: '[request id: a-1] full',
    retryAfterMs: 5,
  });
  t.match(unexpected('x', 'y', 'z'.repeat(200)).message, /found "z{79}\.\.\.$/);
});

t.test('only what is served is called an extension', async (t) => {
  for (const not of ['sequence', 'trace', 'system_shared_memory', 'cuda_shared_memory'])
    t.notOk((EXTENSIONS as readonly string[]).includes(not));
});
