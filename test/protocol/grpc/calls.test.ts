import { status } from '@grpc/grpc-js';
import t from 'tap';

import { ServeError } from '../../../src/core/errors.ts';
import type { LoadRequest } from '../../../src/core/model-repository.ts';
import { EXTENSIONS } from '../../../src/protocol/extensions.ts';
import type { LogSettings } from '../../../src/protocol/server-settings.ts';
import { aGateway, aVersion, READY } from '../../gateway/builders.ts';
import { until } from '../../support/until.ts';
import { aConversation } from './builders.ts';

t.test('the server says who it is and whether it lives and is ready', async (t) => {
  const gateway = aGateway();
  const { call } = await aConversation(t, { gateway });
  t.match(await call('ServerLive'), { answer: { live: true } });
  t.match(await call('ServerReady'), { answer: { ready: true } });
  const { answer } = await call('ServerMetadata');
  t.match(answer, { name: 'understudy', version: '0.0.0' });
  t.match(answer, { extensions: EXTENSIONS });
  await gateway.drain();
  t.match(await call('ServerLive'), { answer: { live: true } });
  t.match(await call('ServerReady'), { answer: { ready: false }, error: undefined });
});

t.test('a model that is not there is not ready, and has no metadata', async (t) => {
  const { call } = await aConversation(t);
  t.match(await call('ModelReady', { name: 'm' }), { answer: { ready: true } });
  t.match(await call('ModelReady', { name: 'm', version: 'stable' }), { answer: { ready: true } });
  t.match(await call('ModelReady', { name: 'm', version: '9' }), { answer: { ready: false } });
  t.match(await call('ModelReady', { name: 'z' }), { answer: { ready: false }, error: undefined });
  const { error } = await call('ModelMetadata', { name: 'z' });
  t.equal(error?.code, status.NOT_FOUND);
  t.match(error?.details, /^Request for unknown model: 'z' is not found/);
});

t.test('metadata and configuration of a model are answered', async (t) => {
  const { call } = await aConversation(t);
  t.match((await call('ModelMetadata', { name: 'm' })).answer, {
    name: 'm',
    versions: ['1'],
    platform: 'onnxruntime_onnx',
    inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '2'] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: ['-1', '2'] }],
  });
  t.match((await call('ModelConfig', { name: 'm', version: '1' })).answer, {
    config: {
      name: 'm',
      max_batch_size: 8,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: ['2'] }],
    },
  });
  t.equal((await call('ModelConfig', { name: 'm', version: '9' })).error?.code, status.NOT_FOUND);
});

t.test('statistics are whole numbers, of all models or of one', async (t) => {
  const tally = { count: 2, ms: 1.5 };
  const asked: unknown[] = [];
  const { call } = await aConversation(t, {
    statistics: (...args) => {
      asked.push(args);
      return [
        {
          model: 'm',
          version: '1',
          lastInferenceMs: 1_700_000_000_000.5,
          inferences: 4,
          executions: 2,
          success: tally,
          failure: { count: 0, ms: 0 },
          queue: tally,
          compute: tally,
          batches: [{ rows: 2, compute: tally }],
        },
      ];
    },
  });
  const { answer } = await call('ModelStatistics', { name: 'm', version: 'stable' });
  t.match(answer, {
    model_stats: [
      {
        name: 'm',
        version: '1',
        last_inference: '1700000000000',
        inference_count: '4',
        inference_stats: { success: { count: '2', ns: '1500000' }, cache_hit: { count: '0' } },
        batch_stats: [{ batch_size: '2', compute_infer: { count: '2' } }],
      },
    ],
  });
  await call('ModelStatistics');
  t.same(asked, [['m', '1'], []]);
  t.equal((await call('ModelStatistics', { name: 'z' })).error?.code, status.NOT_FOUND);
});

t.test('models are listed, loaded and unloaded', async (t) => {
  const loaded: [string, LoadRequest][] = [];
  const unloaded: string[] = [];
  const { call } = await aConversation(t, {
    repository: {
      index: async () => [
        { model: 'm', version: '1', state: READY },
        { model: 'n', version: '1', state: { kind: 'failed', reason: 'no file' } },
      ],
      load: async (model, request) => {
        loaded.push([model, request]);
      },
      unload: async (model) => {
        unloaded.push(model);
      },
    },
  });
  t.match((await call('RepositoryIndex')).answer, {
    models: [
      { name: 'm', version: '1', state: 'READY', reason: '' },
      { name: 'n', version: '1', state: 'UNAVAILABLE', reason: 'no file' },
    ],
  });
  const { answer: ready } = await call('RepositoryIndex', { ready: true });
  t.match(ready, { models: { length: 1 } });
  const parameters = {
    config: { string_param: '{"backend":"onnxruntime"}' },
    'file:1/model.onnx': { bytes_param: Buffer.from('onnx') },
  };
  t.equal((await call('RepositoryModelLoad', { model_name: 'm', parameters })).error, undefined);
  t.match(loaded, [['m', { config: '{"backend":"onnxruntime"}' }]]);
  t.same(loaded[0]?.[1].files.get('1/model.onnx'), Buffer.from('onnx'));
  const unload = { model_name: 'm', parameters: { unload_dependents: { bool_param: true } } };
  t.equal((await call('RepositoryModelUnload', unload)).error, undefined);
  t.same(unloaded, ['m']);
  const named = await call('RepositoryIndex', { repository_name: 'other' });
  t.equal(named.error?.code, status.UNIMPLEMENTED);
  const odd = { model_name: 'm', parameters: { 'file:1/model.onnx': { string_param: 'x' } } };
  t.equal((await call('RepositoryModelLoad', odd)).error?.code, status.INVALID_ARGUMENT);
});

t.test('a load that is refused says so in the words of who refused it', async (t) => {
  const refuse = async () => {
    throw new ServeError('load_failed', "failed to load 'm': no such file");
  };
  const { call } = await aConversation(t, {
    repository: { index: async () => [], load: refuse, unload: refuse },
  });
  const { error } = await call('RepositoryModelLoad', { model_name: 'm' });
  t.equal(error?.code, status.INVALID_ARGUMENT);
  t.match(error?.details, /^failed to load 'm'/);
});

t.test('no region of shared memory is ever there', async (t) => {
  const { call } = await aConversation(t);
  for (const kind of ['System', 'Cuda']) {
    t.same((await call(`${kind}SharedMemoryStatus`)).answer, { regions: {} });
    t.equal((await call(`${kind}SharedMemoryUnregister`, { name: 'r' })).error, undefined);
    const { error } = await call(`${kind}SharedMemoryRegister`, { name: 'r', key: '/test_shm' });
    t.equal(error?.code, status.UNIMPLEMENTED);
    t.match(error?.details, /Unable to open shared memory region: '\/test_shm'|invalid args/);
  }
});

t.test('log settings are read and changed, tracing is off and stays off', async (t) => {
  let log: LogSettings = { logInfo: true, logWarning: true, logError: true };
  const setLog = (changes: Partial<LogSettings>): void => {
    log = { ...log, ...changes };
  };
  const { call } = await aConversation(t, { settings: { log: () => log, setLog } });
  const settings = { log_info: { bool_param: false } };
  t.match((await call('LogSettings', { settings })).answer, {
    settings: { log_info: { bool_param: false }, log_verbose_level: { uint32_param: 0 } },
  });
  t.equal(log.logInfo, false);
  const file = await call('LogSettings', { settings: { log_file: { string_param: 'x' } } });
  t.match(file.error?.details, /^log file location can not be updated through network protocol/);
  t.match((await call('TraceSetting')).answer, {
    settings: { trace_level: { value: ['OFF'] }, trace_rate: { value: ['1000'] } },
  });
  const on = await call('TraceSetting', { settings: { trace_level: { value: ['TIMESTAMPS'] } } });
  t.equal(on.error?.code, status.UNIMPLEMENTED);
  const unknown = await call('TraceSetting', { model_name: 'does-not-exist' });
  t.match(unknown.error?.details, /^Request for unknown model : does-not-exist/);
});

t.test('health follows readiness, when asked and for those who watch', async (t) => {
  const gateway = aGateway();
  const { call, watch } = await aConversation(t, { gateway });
  for (const service of ['', 'inference.GRPCInferenceService', 'm']) {
    t.match((await call('Check', { service })).answer, { status: 'SERVING' }, `'${service}'`);
  }
  t.equal((await call('Check', { service: 'z' })).error?.code, status.NOT_FOUND);
  const seen: unknown[] = [];
  const { stream } = watch('');
  stream.on('data', (answer: { status: string }) => seen.push(answer.status));
  const unknown: unknown[] = [];
  const other = watch('z').stream;
  other.on('data', (answer: { status: string }) => unknown.push(answer.status));
  await until('the first status', () => seen.length === 1 && unknown.length === 1);
  await gateway.drain();
  t.match((await call('Check')).answer, { status: 'NOT_SERVING' });
  await until('the change', () => seen.length === 2);
  t.same(seen, ['SERVING', 'NOT_SERVING']);
  t.same(unknown, ['SERVICE_UNKNOWN']);
  other.cancel();
  stream.cancel();
});

t.test('a version that is loading is not ready', async (t) => {
  const gateway = aGateway({ versions: [aVersion('1', { state: { kind: 'loading' } })] });
  const { call } = await aConversation(t, { gateway });
  t.match((await call('ModelReady', { name: 'm' })).answer, { ready: false });
  t.match((await call('ServerReady')).answer, { ready: false });
  t.match((await call('Check')).answer, { status: 'NOT_SERVING' });
});
