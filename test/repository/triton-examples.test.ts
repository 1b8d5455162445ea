/** Configurations as Triton's own examples and the tools around it write them: each loads, or is refused at a line. */
import t from 'tap';
import { scanModel } from '../../src/repository/scan.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { aRepository } from './a-repository.ts';

const TENSORS = `
input [
  {
    name: "x"
    data_type: TYPE_FP32
    dims: [ 2 ]
  }
]
output [
  {
    name: "y"
    data_type: TYPE_FP32
    dims: [ 2 ]
  }
]
`;

/** Beside a model `x` to `y`, FP32 [-1,2]. */
async function read(config: string) {
  const root = await aRepository({
    'm/1/model.onnx': anIdentityModel('FP32'),
    'm/config.pbtxt': config,
  });
  return scanModel(root, 'm');
}

const REFUSED: readonly (readonly [example: string, config: string, says: RegExp])[] = [
  [
    'simple_sequence',
    `name: "m"\nplatform: "onnxruntime_onnx"\nmax_batch_size: 8\nsequence_batching {
  max_sequence_idle_microseconds: 5000000
  control_input [
    { name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ] }
  ]
}${TENSORS}`,
    /^config\.pbtxt:4:1 sequence_batching: models that keep state/,
  ],
  [
    'an ensemble',
    `name: "m"\nplatform: "ensemble"\nmax_batch_size: 1${TENSORS}ensemble_scheduling {
  step [ { model_name: "p" model_version: -1 input_map { key: "a" value: "x" } } ]
}`,
    /^config\.pbtxt:18:1 ensemble_scheduling: ensembles of models are not served/,
  ],
  [
    'add_sub in Python',
    `name: "m"\nbackend: "python"\n${TENSORS}`,
    /^config\.pbtxt:2:1 backend: expected onnxruntime.*found "python".*exported to ONNX$/,
  ],
  [
    'inception_graphdef',
    `name: "m"\nplatform: "tensorflow_graphdef"\nmax_batch_size: 128${TENSORS}`,
    /^config\.pbtxt:2:1 platform: expected onnxruntime_onnx.*found "tensorflow_graphdef"/,
  ],
  [
    'a decoupled model',
    `${TENSORS}model_transaction_policy {\n  decoupled: True\n}`,
    /^config\.pbtxt:17:3 model_transaction_policy\.decoupled: many answers/,
  ],
  [
    'a batch input',
    `${TENSORS}batch_input [ { kind: BATCH_ELEMENT_COUNT target_name: "n" source_input: "x" } ]`,
    /^config\.pbtxt:16:1 batch_input: /,
  ],
];

for (const [example, config, says] of REFUSED) {
  t.test(`${example} is refused with its line`, async (t) => {
    const { packages, problems } = await read(config);
    t.same(packages, []);
    t.match(problems, [{ message: says }]);
  });
}

const SERVED: readonly (readonly [example: string, config: string, notes: readonly RegExp[]])[] = [
  ['simple', `name: "m"\nplatform: "onnxruntime_onnx"\nmax_batch_size: 8${TENSORS}`, []],
  ['a name alone', 'name: "m"', []],
  ['every version', `version_policy: { all { }}\nmax_batch_size: 8${TENSORS}`, []],
  [
    'a detector with accelerators, and its metadata in the parameters',
    `max_batch_size: 0
optimization { execution_accelerators { gpu_execution_accelerator { name: "tensorrt" parameters { key: "precision_mode" value: "FP16" } } } }
parameters { key: "metadata" value: { string_value: "{'names': {0: 'person'}}" } }`,
    [/optimization\.execution_accelerators \(`execution\.providers`.*parameters "metadata" \(/],
  ],
  [
    'a language model with all that a dynamic batcher may have',
    `max_batch_size: 16${TENSORS}
dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 preserve_ordering: true
  priority_levels: 2 default_priority_level: 1
  priority_queue_policy { key: 1 value { timeout_action: DELAY max_queue_size: 4 } } }
instance_group [ { count: 2 kind: KIND_CPU rate_limiter { resources [ { name: "R2" global: True count: 2 } ] priority: 2 } } ]
response_cache { enable: true }`,
    [
      /preferred_batch_size \(a batch.*preserve_ordering \(each.*priority_queue_policy \(one.*rate_limiter \(replicas.*response_cache \(every request is run\)$/,
    ],
  ],
  [
    'files and libraries for other servers',
    `cc_model_filenames [ { key: "7.5" value: "model_7.5.onnx" } ]
metric_tags { key: "a" value: "b" }
model_operations { op_library_filename: "/x.so" }
model_repository_agents { agents [ { name: "checksum" } ] }
runtime: "libtriton.so"
model_metrics { metric_control { histogram_options { buckets: [ 1, 2.5 ] } } }`,
    [/cc_model_filenames \(.*metric_tags \(.*model_operations \(.*runtime \(.*model_metrics \(/],
  ],
];

for (const [example, config, notes] of SERVED) {
  t.test(`${example} is served, and what is left out is said in one line`, async (t) => {
    const { packages, problems, notes: found } = await read(config);
    t.same(problems, []);
    t.equal(packages.length, 1);
    t.equal(found.length, notes.length);
    t.match(
      found.map(({ message }) => message),
      notes,
    );
  });
}
