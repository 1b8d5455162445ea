import t from 'tap';
import type { TensorSpec } from '../../src/core/tensor.ts';
import { addNode, newModel, writeModel } from '../../src/repository/onnx-writer.ts';
import { aService } from './a-service.ts';

/** Gives each channel's mean, as the classifiers of Triton's quick start give their scores: [1, 3, 1, 1]. */
function channelMeans(input: TensorSpec, output: TensorSpec): Uint8Array {
  const model = newModel({ name: 'means', inputs: [input], outputs: [output] });
  addNode(model.graph, { op: 'GlobalAveragePool', inputs: [input.name], outputs: [output.name] });
  return writeModel(model);
}

/** Doubles what it gets. */
function doubling(input: readonly number[], output: readonly number[]): Uint8Array {
  const model = newModel({
    name: 'doubling',
    inputs: [{ name: 'x', dtype: 'FP32', shape: input }],
    outputs: [{ name: 'y', dtype: 'FP32', shape: output }],
  });
  addNode(model.graph, { op: 'Add', inputs: ['x', 'x'], outputs: ['y'] });
  return writeModel(model);
}

/** As the quick start of Triton has it, with smaller images and fewer classes. */
const DENSENET = `
name: "densenet_onnx"
platform: "onnxruntime_onnx"
max_batch_size : 0
input [
  {
    name: "data_0"
    data_type: TYPE_FP32
    format: FORMAT_NCHW
    dims: [ 3, 2, 2 ]
    reshape { shape: [ 1, 3, 2, 2 ] }
  }
]
output [
  {
    name: "fc6_1"
    data_type: TYPE_FP32
    dims: [ 3 ]
    reshape { shape: [ 1, 3, 1, 1 ] }
    label_filename: "densenet_labels.txt"
  }
]
parameters { key: "execution_mode" value { string_value: "0" } }
model_warmup { name: "one" count: 2 inputs { key: "data_0" value { data_type: TYPE_FP32 dims: [ 3, 2, 2 ] zero_data: true } } }
`;

const tensor = (name: string, dims: string, reshape: string) =>
  `{ name: "${name}" data_type: TYPE_FP32 dims: [ ${dims} ] reshape { shape: [ ${reshape} ] } }`;

const RESHAPED = ['densenet_onnx', 'scalars', 'free', 'rows'];

const { ask, grpc, lines } = await aService(
  t,
  {
    'densenet_onnx/config.pbtxt': DENSENET,
    'densenet_onnx/densenet_labels.txt': 'cat\ndog\nfish\n',
    'densenet_onnx/1/model.onnx': channelMeans(
      { name: 'data_0', dtype: 'FP32', shape: [1, 3, 2, 2] },
      { name: 'fc6_1', dtype: 'FP32', shape: [1, 3, 1, 1] },
    ),
    'scalars/config.pbtxt': `max_batch_size: 8 input ${tensor('x', '1', '')} output ${tensor('y', '1', '')}`,
    'scalars/1/model.onnx': doubling([-1], [-1]),
    'free/config.pbtxt': `max_batch_size: 0 input ${tensor('x', '2, -1, 6', '1, 2, -1, 1, 6')} output ${tensor('y', '2, -1, 6', '1, 2, -1, 1, 6')}`,
    'free/1/model.onnx': doubling([-1, 2, -1, 1, 6], [-1, 2, -1, 1, 6]),
    'rows/config.pbtxt': `max_batch_size: 8 input ${tensor('x', '4', '2, 2')} output ${tensor('y', '4', '2, 2')}
      dynamic_batching { max_queue_delay_microseconds: 20000 }`,
    'rows/1/model.onnx': doubling([-1, 2, 2], [-1, 2, 2]),
  },
  RESHAPED,
);

const input = (name: string, shape: readonly number[], data: readonly number[]) => ({
  name,
  datatype: 'FP32',
  shape,
  data,
});
const infer = (model: string, shape: readonly number[], data: readonly number[]) =>
  ask(`models/${model}/infer`, { inputs: [input('x', shape, data)] });

const IMAGE = [1, 2, 3, 4, 10, 10, 10, 10, 0, 0, 0, 4];

t.test('the densenet of the quick start answers in the shapes of its configuration', async (t) => {
  const inputs = [input('data_0', [3, 2, 2], IMAGE)];
  const { status, body } = await ask('models/densenet_onnx/infer', { inputs });
  t.equal(status, 200);
  t.match(body, { outputs: [{ name: 'fc6_1', shape: [3], data: [2.5, 10, 1] }] });
  const outputs = [{ name: 'fc6_1', parameters: { classification: 2 } }];
  const classes = await ask('models/densenet_onnx/infer', { inputs, outputs });
  t.match(classes.body, { outputs: [{ shape: [2], data: ['10.000000:1:dog', '2.500000:0:cat'] }] });
  const whole = await ask('models/densenet_onnx/infer', {
    inputs: [input('data_0', [1, 3, 2, 2], IMAGE)],
  });
  t.equal(whole.status, 400, 'the own shape of the model is not the one that is served');
  t.match(String(whole.body['error']), /Expected \[3,2,2\], got \[1,3,2,2\]/);
});

t.test(
  'its configuration and metadata say what clients of images go by, on both wires',
  async (t) => {
    const expected = {
      max_batch_size: 0,
      input: [
        {
          name: 'data_0',
          data_type: 'TYPE_FP32',
          format: 'FORMAT_NCHW',
          dims: [3, 2, 2],
          reshape: { shape: [1, 3, 2, 2] },
        },
      ],
      output: [
        {
          name: 'fc6_1',
          dims: [3],
          reshape: { shape: [1, 3, 1, 1] },
          label_filename: 'densenet_labels.txt',
        },
      ],
      parameters: { execution_mode: { string_value: '0' } },
      model_warmup: [
        {
          name: 'one',
          count: 2,
          inputs: { data_0: { data_type: 'TYPE_FP32', dims: [3, 2, 2], zero_data: true } },
        },
      ],
    };
    t.match((await ask('models/densenet_onnx/config')).body, expected);
    const digits = (value: unknown): unknown => {
      if (Array.isArray(value))
        return value.map((each) => (typeof each === 'number' ? String(each) : digits(each)));
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, digits(each)]));
    };
    const answer = await grpc.call('ModelConfig', { name: 'densenet_onnx' });
    t.match(answer['config'], digits(expected) as object);
    const { body } = await ask('models/densenet_onnx');
    t.match(body, { inputs: [{ shape: [3, 2, 2] }], outputs: [{ shape: [3] }] });
  },
);

t.test('rows without dimensions are taken and given as one element each', async (t) => {
  const { status, body } = await infer('scalars', [2, 1], [1, 4]);
  t.equal(status, 200);
  t.match(body, { outputs: [{ shape: [2, 1], data: [2, 8] }] });
  t.equal((await infer('scalars', [2], [1, 1])).status, 400);
});

t.test('what is free stays so on the way in and back', async (t) => {
  const { body } = await infer('free', [2, 3, 6], Array(36).fill(1));
  t.match(body, { outputs: [{ shape: [2, 3, 6] }] });
});

t.test('requests share a run in the shapes of the model, and each gets its own rows', async (t) => {
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, at) => infer('rows', [1, 4], [at, at + 1, at + 2, at + 3])),
  );
  for (const [at, { body }] of answers.entries()) {
    const data = [at, at + 1, at + 2, at + 3].map((value) => 2 * value);
    t.match(body, { outputs: [{ shape: [1, 4], data }] });
  }
  const { body } = await ask('models/rows/stats');
  const [stats] = body['model_stats'] as readonly Record<string, number>[];
  t.ok((stats?.['execution_count'] ?? 24) < 24, 'runs were shared');
});

t.test('gRPC gives the shapes of the configuration too', async (t) => {
  const answer = await grpc.call('ModelInfer', {
    model_name: 'rows',
    inputs: [
      {
        name: 'x',
        datatype: 'FP32',
        shape: [2, 4],
        contents: { fp32_contents: [1, 2, 3, 4, 5, 6, 7, 8] },
      },
    ],
  });
  t.match(answer, {
    outputs: [{ shape: ['2', '4'], contents: { fp32_contents: [2, 4, 6, 8, 10, 12, 14, 16] } }],
  });
});

t.test('nothing is said to be left out but the parameters, which nothing follows', (t) => {
  const told = lines.filter((line) => line.includes('left out'));
  t.equal(told.length, 1);
  t.match(told[0], /parameters "execution_mode" \(shown to those who ask, and not followed\)/);
  t.end();
});
