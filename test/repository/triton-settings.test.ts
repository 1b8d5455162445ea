import t from 'tap';
import { modelConfigOf } from '../../src/protocol/model-config.ts';
import { readConfigJson, readConfigPbtxt } from '../../src/repository/config-pbtxt.ts';
import type { TritonModelConfig } from '../../src/repository/triton-config.ts';
import { declaredIn } from '../../src/repository/triton-declared.ts';
import { settingsFrom, type TritonSettings } from '../../src/repository/triton-settings.ts';

const read = (text: string): TritonModelConfig => readConfigPbtxt({ file: 'config.pbtxt', text });
const settings = (text: string): TritonSettings => settingsFrom(read(text), 'm');

t.test('a config.pbtxt becomes a section with what it says and nothing else', (t) => {
  const { section, modelFile, declared, batching, tensors, ignored } = settings(`
    # As people write them: lists in brackets, messages with and without a colon.
    name: "m"
    platform: "onnxruntime_onnx"
    backend: 'onnxruntime'
    max_batch_size: 16
    default_model_filename: "net.onnx"
    input [ { name: "x" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 3, -1 ] } ]
    output: { name: "y", data_type: TYPE_STRING, dims: 3, label_filename: "labels.txt" }
    instance_group [ { kind: KIND_CPU count: 2 }, { kind: KIND_CPU count: 1 } ]
    version_policy: { latest { num_versions: 2 } }
    dynamic_batching {
      max_queue_delay_microseconds: 500
      priority_levels: 3 default_priority_level: 2
      default_queue_policy {
        timeout_action: REJECT allow_timeout_override: true
        default_timeout_microseconds: 1500 max_queue_size: 9
      }
    }`);
  t.same(section, {
    batch: { rowsMax: 16, delayMs: 0.5 },
    queue: { requestsMax: 9, deadlineMs: 2, priorityLevels: 3, defaultPriority: 2 },
    instances: { replicas: 3 },
    execution: { providers: ['cpu'] },
    versions: { latest: 2 },
  });
  t.equal(modelFile, 'net.onnx');
  t.same([...declared.labelFiles], [['y', 'labels.txt']]);
  t.same([...declared.formats], [['x', 'FORMAT_NCHW']]);
  t.equal(batching, 'rows');
  t.same(tensors, [
    { side: 'input', name: 'x', dtype: 'FP32', dims: [3, -1], reshape: undefined },
    { side: 'output', name: 'y', dtype: 'BYTES', dims: [3], reshape: undefined },
  ]);
  t.same(ignored, []);
  t.end();
});

const SECTIONS: readonly { readonly text: string; readonly section: object }[] = [
  { text: '', section: {} },
  { text: 'max_batch_size: 0', section: { batch: 'off' } },
  { text: 'max_batch_size: 0 dynamic_batching {}', section: { batch: 'off' } },
  { text: 'input { name: "x" dims: [ 1, 3 ] }', section: { batch: 'off' } },
  { text: 'input { name: "x" dims: [ 1, 3 ] } dynamic_batching {}', section: {} },
  { text: 'backend: "onnxruntime"', section: {} },
  { text: 'version_policy { all {} }', section: { versions: 'all' } },
  { text: 'version_policy { latest {} }', section: { versions: { latest: 1 } } },
  {
    text: 'version_policy { specific { versions: 1 versions: 3 } }',
    section: { versions: ['1', '3'] },
  },
  { text: 'instance_group { kind: KIND_GPU }', section: { execution: { providers: ['cuda'] } } },
  { text: 'instance_group { count: 4 }', section: { instances: { replicas: 4 } } },
  { text: 'max_batch_size: 9000', section: { batch: { rowsMax: 4_096 } } },
];

for (const { text, section } of SECTIONS) {
  t.test(`"${text}" says just ${JSON.stringify(section)}`, (t) => {
    t.same(settings(text).section, section);
    t.end();
  });
}

t.test('everything that is asked for and not supported is named', (t) => {
  const { ignored } = settings(`
    max_batch_size: 9000
    input { name: "x" optional: true allow_ragged_batch: false }
    optimization { graph { level: 1 } }
    response_cache { enable: false }
    parameters { key: "intra_op_thread_count" value { string_value: "4" } }
    instance_group [ { kind: KIND_CPU gpus: [ 0 ] }, { kind: KIND_GPU }, { kind: KIND_MODEL } ]
    dynamic_batching {
      preferred_batch_size: [ 4, 8 ] preserve_ordering: true
      default_queue_policy { timeout_action: DELAY }
    }`);
  t.same(ignored, [
    'max_batch_size above 4096',
    'instance_group.kind of another group than the first',
    'dynamic_batching.preferred_batch_size (a batch leaves as soon as a replica is free)',
    'dynamic_batching.preserve_ordering (each answer leaves as soon as it is ready)',
    'default_queue_policy.timeout_action (who is late is refused)',
    'instance_group.gpus (replicas run on the first device of the provider)',
    'instance_group.kind KIND_MODEL (`execution.providers` in understudy.yaml chooses the device)',
    'optimization.graph (the runtime optimises the graph as it does by default)',
    'parameters "intra_op_thread_count" (shown to those who ask, and not followed)',
  ]);
  t.same(
    settings('max_batch_size: 0 dynamic_batching { max_queue_delay_microseconds: 5 }').ignored,
    ['dynamic_batching.max_queue_delay_microseconds (batching is off)'],
  );
  t.end();
});

t.test('of thousands of parameters some are named and the others counted', (t) => {
  const many = Array.from({ length: 2_000 }, (_, at) => `parameters { key: "p${at}" value {} }`);
  const { ignored, declared } = settings(many.join('\n'));
  t.equal(declared.parameters.size, 2_000);
  t.match(ignored, [/^parameters "p0" .* "p19" and 1980 more \(shown to those who ask/]);
  t.end();
});

const RESHAPES: readonly { readonly dims: string; readonly shape: string }[] = [
  { dims: '1', shape: '' },
  { dims: '3, 224, 224', shape: '1, 3, 224, 224' },
  { dims: '2, 4, -1, 6', shape: '8, -1, 1, 6' },
  { dims: '-1, -1', shape: '1, -1, -1' },
];

for (const { dims, shape } of RESHAPES) {
  t.test(`[${dims}] may be reshaped to [${shape}]`, (t) => {
    const text = `max_batch_size: 0 input { name: "x" dims: [ ${dims} ] reshape { shape: [ ${shape} ] } }`;
    const { tensors, ignored } = settings(text);
    const reshape = shape === '' ? [] : shape.split(', ').map(Number);
    t.same(tensors, [
      { side: 'input', name: 'x', dtype: undefined, dims: dims.split(', ').map(Number), reshape },
    ]);
    t.same(ignored, []);
    t.end();
  });
}

const REFUSED: readonly { readonly text: string; readonly says: string }[] = [
  { text: 'name: "other"', says: 'name: expected "m", as the folder is called, found "other"' },
  {
    text: 'platform: "tensorrt_plan"',
    says: 'platform: expected onnxruntime_onnx, the one that is served, found "tensorrt_plan". Models of other frameworks can be exported to ONNX',
  },
  {
    text: 'backend: "python"',
    says: 'backend: expected onnxruntime, the one that is served, found "python". Models of other frameworks can be exported to ONNX',
  },
  {
    text: 'sequence_batching {}',
    says: 'sequence_batching: models that keep state between requests are not served yet',
  },
  {
    text: 'ensemble_scheduling {}',
    says: 'ensemble_scheduling: ensembles of models are not served yet',
  },
  {
    text: 'model_transaction_policy { decoupled: true }',
    says: 'model_transaction_policy.decoupled: many answers to one request are not served',
  },
  {
    text: 'batch_input { kind: BATCH_ITEM_SHAPE target_name: "s" }',
    says: 'batch_input: tensors that the server makes for a batch are not served yet',
  },
  {
    text: 'input { name: "x" dims: 4 reshape { shape: [ 2, 3 ] } }',
    says: 'input "x": reshape: expected as many elements as in dims [4], found [2,3]',
  },
  {
    text: 'input { name: "x" dims: 4 reshape {} }',
    says: 'input "x": reshape: expected as many elements as in dims [4], found []',
  },
  {
    text: 'output { name: "y" dims: [ 4, -1 ] reshape { shape: [ -1, 4 ] } }',
    says: 'output "y": reshape: expected as many elements around each -1 as in dims [4,-1], found [-1,4]',
  },
  {
    text: 'input { name: "x" dims: [ 4, -1 ] reshape { shape: 4 } }',
    says: 'input "x": reshape: expected as many free dimensions (-1) as in dims [4,-1], found [4]',
  },
  {
    text: 'input { name: "x" dims: [ 0 ] reshape { shape: 0 } }',
    says: 'input "x": reshape: expected dimensions of -1 (free), 1 or more, found 0',
  },
  {
    text: 'input { name: "x" reshape { shape: 4 } }',
    says: 'input "x": reshape: expected dims beside it, found none',
  },
  { text: 'max_batch_size: -1', says: 'max_batch_size: expected 0 or more rows, found -1' },
  {
    text: 'dynamic_batching { priority_levels: 2 default_priority_level: 3 }',
    says: 'dynamic_batching.default_priority_level: expected 1 to 2, the priority_levels, found 3',
  },
  {
    text: 'version_policy { specific {} }',
    says: 'version_policy.specific: expected at least one version, found none',
  },
  { text: 'input { dims: 3 }', says: 'input: expected a name, found none' },
  {
    text: 'input { name: "x" dims: -2 }',
    says: 'input "x": expected dimensions of -1 (free), 0 or more, found -2',
  },
  {
    text: 'model_warmup { name: "w" }',
    says: 'model_warmup "w": expected inputs, found none',
  },
  {
    text: 'model_warmup { name: "w" count: 4294967295 }',
    says: 'model_warmup "w": expected a count of at most 10000, found 4294967295',
  },
  {
    text: 'model_warmup { name: "w" inputs { key: "x" value { dims: -1 zero_data: true } } }',
    says: 'model_warmup "w" input "x": expected dimensions of 0 or more, found [-1]',
  },
  {
    text: 'model_warmup { name: "w" inputs { key: "x" value { dims: 1 } } }',
    says: 'model_warmup "w" input "x": expected zero_data, random_data or input_data_file, found none',
  },
  ...['../net.onnx', '/etc/passwd', '..', 'a/../../b', '..\\\\net.onnx'].map((file) => ({
    text: `default_model_filename: "${file}"`,
    says: `default_model_filename: expected a file inside its folder, found "${file}"`,
  })),
  {
    text: 'output { name: "y" label_filename: "../labels.txt" }',
    says: 'label_filename of output "y": expected a file inside its folder, found "../labels.txt"',
  },
  {
    text: 'model_warmup { name: "w" inputs { key: "x" value { input_data_file: "../x" } } }',
    says: 'model_warmup "w" input "x": expected a file inside its folder, found "../x"',
  },
];

for (const { text, says } of REFUSED) {
  t.test(`refused: ${says}`, (t) => {
    t.throws(() => settings(text), { message: says });
    t.end();
  });
}

const MALFORMED: readonly { readonly text: string; readonly says: string | RegExp }[] = [
  {
    text: 'name: "m"\nmax_batch: 3',
    says: /^config\.pbtxt:2:1 unknown key "max_batch"\. .*, found "max_batch: 3"$/,
  },
  {
    text: 'name: "m"\ninput [ {\n  data_type: TYPE_FLOAT\n} ]',
    says: /^config\.pbtxt:3:14 data_type: expected one of TYPE_INVALID, TYPE_BOOL, .*, found "data_type: TYPE_FLOAT"$/,
  },
  {
    text: '\n\nmax_batch_size: many',
    says: 'config.pbtxt:3:17 integer value expected, found "max_batch_size: many"',
  },
  {
    text: 'max_batch_size: 99999999999',
    says: 'config.pbtxt:1:17 integer value out of range, found "max_batch_size: 99999999999"',
  },
  {
    text: 'name: "a"\nname: "b"',
    says: 'config.pbtxt:2:7 ModelConfig.name: expected it once, found "name: \\"b\\""',
  },
  {
    text: 'dynamic_batching {}\nsequence_batching {}',
    says: 'config.pbtxt:2:20 expected one of dynamic_batching, sequence_batching and ensemble_scheduling, found "sequence_batching {}"',
  },
  { text: 'name: "m', says: 'config.pbtxt:1:7 unterminated string, found "name: \\"m"' },
  { text: 'input [ {\n', says: /^config\.pbtxt:2:1 expected '}'/ },
];

t.test('what is wrong far down is found there; what is too long is not read', (t) => {
  const many = `parameters { key: "a" }\n`.repeat(4_000);
  t.throws(() => read(`${many}max_batch_size: many\n${many}`), {
    message: 'config.pbtxt:4001:1 integer value expected, found "max_batch_size: many"',
  });
  const long = ' '.repeat(1024 * 1024 + 1);
  t.throws(() => read(long), {
    message: 'config.pbtxt: expected at most 1048576 characters, found 1048577',
  });
  t.throws(() => readConfigJson(long), {
    message: /^model configuration: expected at most 1048576 characters/,
  });
  t.end();
});

for (const { text, says } of MALFORMED) {
  t.test(`malformed: ${says}`, (t) => {
    t.throws(() => read(text), { name: 'ConfigError', message: says });
    t.end();
  });
}

t.test('JSON says the same, with numbers as strings and names in either case', (t) => {
  const json = JSON.stringify({
    name: 'm',
    maxBatchSize: '16',
    input: [{ name: 'x', data_type: 'TYPE_FP32', dims: ['3', -1] }],
    version_policy: { specific: { versions: ['1', 3] } },
  });
  t.same(
    settingsFrom(readConfigJson(json), 'm'),
    settings(
      'name: "m" max_batch_size: 16 input { name: "x" data_type: TYPE_FP32 dims: [3, -1] } version_policy { specific { versions: [1, 3] } }',
    ),
  );
  for (const zero of ['{ "max_batch_size": 0 }', '{ "maxBatchSize": "0" }']) {
    t.same(settingsFrom(readConfigJson(zero), 'm').section, { batch: 'off' });
  }
  t.same(readConfigJson('{ "max_batch_size": null }'), {});
  t.end();
});

const MALFORMED_JSON: readonly { readonly text: string; readonly says: string | RegExp }[] = [
  { text: '{', says: /^model configuration: expected JSON: / },
  { text: '[]', says: 'model configuration: ModelConfig: expected object: []' },
  {
    text: '{ "max_batchsize": 3 }',
    says: 'model configuration: unknown key "max_batchsize". Did you mean "max_batch_size"?',
  },
  {
    text: '{ "instance_group": [{ "kind": "KIND_TPU" }] }',
    says: 'model configuration: kind: expected one of KIND_AUTO, KIND_GPU, KIND_CPU, KIND_MODEL',
  },
  {
    text: '{ "max_batch_size": "many" }',
    says: 'model configuration: ModelConfig.max_batch_size: invalid integer: "many"',
  },
];

for (const { text, says } of MALFORMED_JSON) {
  t.test(`malformed JSON: ${says}`, (t) => {
    t.throws(() => readConfigJson(text), { message: says });
    t.end();
  });
}

const NET = { dtype: 'FP32', shape: [-1, 3] } as const;
const FACTS = {
  rowsMax: 8,
  delayMs: 2,
  queueRequestsMax: 9,
  deadlineMs: 250,
  priorityLevels: 4,
  defaultPriority: 2,
  replicas: 2,
  device: 'cpu',
  versionPolicy: { kind: 'specific', versions: ['1', '2'] },
  modelFile: 'net.onnx',
  reshapes: [],
  declared: declaredIn({}),
} as const;

t.test('the configuration that we print of ourselves is read back as it was meant', (t) => {
  const state = {
    version: '1',
    state: { kind: 'ready' },
    joining: undefined,
    provider: undefined,
    signature: { inputs: [{ name: 'x', ...NET }], outputs: [{ name: 'y', ...NET }] },
    platform: 'onnxruntime_onnx',
    labels: new Map(),
    facts: FACTS,
  } as const;
  const printed = JSON.stringify(modelConfigOf('m', state));
  const { section, modelFile, ignored, batching } = settingsFrom(readConfigJson(printed), 'm');
  t.match(section, {
    batch: { rowsMax: 8, delayMs: 2 },
    queue: { requestsMax: 9, deadlineMs: 250, priorityLevels: 4 },
    instances: { replicas: 2 },
    execution: { providers: ['cpu'] },
    versions: ['1', '2'],
  });
  t.same([modelFile, ignored, batching], ['net.onnx', [], 'rows']);
  const scalar = { name: 's', dtype: 'INT64', shape: [] } as const;
  const single = { ...state, signature: { inputs: [scalar], outputs: [scalar] } };
  const again = readConfigJson(JSON.stringify(modelConfigOf('m', single)));
  t.match(settingsFrom(again, 'm').tensors[0], { dims: [1], reshape: [] });
  t.end();
});
