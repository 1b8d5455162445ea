import t from 'tap';
import type { RepositoryVersion } from '../../src/core/repository-version.ts';
import { modelConfigOf } from '../../src/protocol/model-config.ts';
import { aVersion, FACTS } from '../gateway/builders.ts';

t.test('a model whose requests share runs is described without its batch dimension', async (t) => {
  const state = aVersion('1', {
    labels: new Map([['y', ['a', 'b']]]),
    facts: { ...FACTS, delayMs: 1.5, priorityLevels: 2, defaultPriority: 1, replicas: 3 },
  });
  t.same(modelConfigOf('m', state), {
    name: 'm',
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: 8,
    input: [
      {
        name: 'x',
        data_type: 'TYPE_FP32',
        dims: [2],
        format: 'FORMAT_NONE',
        is_shape_tensor: false,
        allow_ragged_batch: false,
        optional: false,
      },
    ],
    output: [
      {
        name: 'y',
        data_type: 'TYPE_FP32',
        dims: [2],
        label_filename: 'labels.txt',
        is_shape_tensor: false,
      },
    ],
    optimization: {},
    dynamic_batching: {
      preferred_batch_size: [],
      max_queue_delay_microseconds: 1_500,
      preserve_ordering: false,
      priority_levels: 2,
      default_priority_level: 1,
      default_queue_policy: {
        timeout_action: 'REJECT',
        default_timeout_microseconds: 1_000_000,
        allow_timeout_override: true,
        max_queue_size: 16,
      },
    },
    instance_group: [{ name: 'm', kind: 'KIND_CPU', count: 3 }],
    default_model_filename: 'model.onnx',
    parameters: {},
    model_warmup: [],
    model_transaction_policy: { decoupled: false },
  });
});

t.test('a model whose requests never share a run keeps all its dimensions', async (t) => {
  const unbatched: readonly RepositoryVersion[] = [
    aVersion('1', { facts: { ...FACTS, rowsMax: 0 } }),
    aVersion('1', {
      signature: {
        inputs: [{ name: 'x', dtype: 'BYTES', shape: [-1, 2] }],
        outputs: [{ name: 'y', dtype: 'FP32', shape: [2] }],
      },
    }),
  ];
  for (const state of unbatched) {
    const config = modelConfigOf('m', state);
    t.match(config, { max_batch_size: 0, input: [{ dims: [-1, 2] }] });
    t.notOk('dynamic_batching' in config);
  }
  const single = modelConfigOf('m', aVersion('1', { facts: { ...FACTS, rowsMax: 1 } }));
  t.match(single, { max_batch_size: 1, input: [{ dims: [2] }] });
  t.notOk('dynamic_batching' in single, 'a row to a run: nothing is gathered');
  t.equal(modelConfigOf('m', unbatched[1] ?? aVersion('1')).input[0]?.data_type, 'TYPE_STRING');
});

t.test(
  'a row that has no dimensions is said by a reshape, as dims must not be empty',
  async (t) => {
    const spec = { name: 'x', dtype: 'INT64', shape: [-1] } as const;
    const state = aVersion('1', { signature: { inputs: [spec], outputs: [spec] } });
    t.match(modelConfigOf('m', state).input, [{ dims: [1], reshape: { shape: [] } }]);
  },
);

t.test('a version policy is said in numbers, and the device by its kind', async (t) => {
  const policyOf = (versionPolicy: RepositoryVersion['facts']['versionPolicy']) =>
    modelConfigOf('m', aVersion('1', { facts: { ...FACTS, versionPolicy } })).version_policy;
  t.same(policyOf({ kind: 'all' }), { all: {} });
  t.same(policyOf({ kind: 'specific', versions: ['3', 'v1', '12'] }), {
    specific: { versions: [3, 12] },
  });
  const onGpu = aVersion('1', { facts: { ...FACTS, device: 'gpu' } });
  t.equal(modelConfigOf('m', onGpu).instance_group[0]?.kind, 'KIND_GPU');
});
