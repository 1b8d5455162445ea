import t from 'tap';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';
import { aService } from './a-service.ts';

/** y = x * factor + shift; factor is 2 and shift 0 where a request leaves them out. */
function aScaling(): Uint8Array {
  const row = { dtype: 'FP32', shape: [-1, 2] } as const;
  const one = { dtype: 'FP32', shape: [1] } as const;
  const model = newModel({
    name: 'scaling',
    inputs: [
      { name: 'factor', ...one },
      { name: 'x', ...row },
      { name: 'shift', ...one },
    ],
    outputs: [{ name: 'y', ...row }],
  });
  addInitialiser(model.graph, floats('factor', [1], [2]));
  addInitialiser(model.graph, floats('shift', [1], [0]));
  addNode(model.graph, { op: 'Mul', inputs: ['x', 'factor'], outputs: ['scaled'] });
  addNode(model.graph, { op: 'Add', inputs: ['scaled', 'shift'], outputs: ['y'] });
  return writeModel(model);
}

/** sequence(map(text, FP32)): what a ZipMap gives. */
const MAPS = Uint8Array.of(0x0a, 0x0a, 0x2a, 0x08, 0x08, 0x08, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01);

/** As scikit-learn's converter ends a classifier of three classes. */
function aClassifier(): Uint8Array {
  const model = newModel({
    name: 'classifier',
    inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 3] }],
    outputs: [{ name: 'same', dtype: 'FP32', shape: [-1, 3] }],
  });
  model.opset_import.push({ domain: 'ai.onnx.ml', version: 3 });
  addNode(model.graph, { op: 'Identity', inputs: ['x'], outputs: ['same'] });
  addNode(model.graph, {
    op: 'ZipMap',
    inputs: ['same'],
    outputs: ['probabilities'],
    attributes: { classlabels_strings: { texts: ['cat', 'dog', 'bird'] } },
  });
  Object.assign(model.graph.node.at(-1) ?? {}, { domain: 'ai.onnx.ml' });
  model.graph.output.push({ name: 'probabilities', type: { sequence_type: MAPS } });
  return writeModel(model);
}

const CONFIG = `max_batch_size: 8
input [
  { name: "x" data_type: TYPE_FP32 dims: [ 2 ] },
  { name: "factor" data_type: TYPE_FP32 dims: [ 1 ] optional: true }
]
dynamic_batching { max_queue_delay_microseconds: 20000 }
`;

const MODELS = ['free', 'declared', 'classifier'];

const { ask, grpc, lines } = await aService(
  t,
  {
    'free/1/model.onnx': aScaling(),
    'declared/config.pbtxt': CONFIG,
    'declared/1/model.onnx': aScaling(),
    'classifier/1/model.onnx': aClassifier(),
  },
  MODELS,
);

const x = (...data: readonly number[]) => ({ name: 'x', datatype: 'FP32', shape: [1, 2], data });
const one = (name: string, value: number) => ({
  name,
  datatype: 'FP32',
  shape: [1],
  data: [value],
});

t.test('what a file has a value for may be given or left out, in any order', async (t) => {
  const valuesOf = async (...inputs: readonly object[]) => {
    const { body } = await ask('models/free/infer', { inputs });
    return (body['outputs'] as readonly { data: unknown }[] | undefined)?.[0]?.data ?? body;
  };
  t.same(await valuesOf(x(1, 2)), [2, 4]);
  t.same(await valuesOf(x(1, 2), one('factor', 10)), [10, 20]);
  t.same(await valuesOf(one('shift', 1), one('factor', 10), x(1, 2)), [11, 21]);
  t.same(await valuesOf(x(1, 2)), [2, 4], 'nothing of another request stays');
});

t.test('metadata lists what must be given; the configuration lists all', async (t) => {
  const { body } = await ask('models/free');
  t.match(body['inputs'], [{ name: 'x' }]);
  t.equal((body['inputs'] as readonly unknown[]).length, 1);
  const config = await ask('models/free/config');
  t.match(config.body['input'], [
    { name: 'factor', dims: [1], optional: true },
    { name: 'x', optional: false },
    { name: 'shift', dims: [1], optional: true },
  ]);
  const about = await grpc.call('ModelConfig', { name: 'free' });
  t.match(about['config'], { input: [{ name: 'factor', optional: true }, { name: 'x' }, {}] });
});

t.test('refusals name what is missing, and know what may be given', async (t) => {
  const missing = await ask('models/free/infer', { inputs: [one('factor', 1)] });
  t.equal(missing.status, 400);
  t.match(missing.body['error'], /missing required input\(s\) \['x'\]/);
  const unknown = await ask('models/free/infer', { inputs: [x(1, 2), one('z', 1)] });
  t.match(unknown.body['error'], /unexpected inference input 'z'.*'factor', 'x', 'shift'/);
  const shape = { ...one('factor', 1), shape: [1, 1] };
  const wrong = await ask('models/free/infer', { inputs: [x(1, 2), shape] });
  t.match(wrong.body['error'], /unexpected shape for input 'factor'.*Expected \[1\], got \[1,1\]/);
});

for (const model of ['free', 'declared']) {
  t.test(`${model}: requests that give different inputs never share a run`, async (t) => {
    const answers = await Promise.all(
      Array.from({ length: 48 }, async (_, at) => {
        const given = at % 3 === 0 ? [] : [one('factor', at)];
        const inputs = at % 2 === 0 ? [x(at, 1), ...given] : [...given, x(at, 1)];
        const { body } = await ask(`models/${model}/infer`, { inputs });
        const factor = at % 3 === 0 ? 2 : at;
        return { body, expected: [at * factor, factor] };
      }),
    );
    for (const { body, expected } of answers) {
      t.match(body, { outputs: [{ shape: [1, 2], data: expected }] });
    }
    const { body } = await ask(`models/${model}/stats`);
    const [stats] = body['model_stats'] as readonly Record<string, number>[];
    if (model === 'declared') {
      t.ok((stats?.['execution_count'] ?? 48) < 48, 'those that leave it out still share runs');
    }
  });
}

t.test('gRPC takes and leaves out the same inputs', async (t) => {
  const typed = ({ data, ...tensor }: ReturnType<typeof x>) => ({
    ...tensor,
    contents: { fp32_contents: data },
  });
  const valuesOf = async (...inputs: readonly object[]) => {
    const answer = await grpc.call('ModelInfer', { model_name: 'declared', inputs });
    return answer['outputs'];
  };
  t.match(await valuesOf(typed(x(1, 2))), [{ contents: { fp32_contents: [2, 4] } }]);
  t.match(await valuesOf(typed(x(1, 2)), typed(one('factor', 3))), [
    { contents: { fp32_contents: [3, 6] } },
  ]);
});

t.test('the maps of a classifier are given as a table, with the labels of its file', async (t) => {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [2, 3], data: [0.5, 0.25, 0.25, 0, 0, 1] }];
  const { body } = await ask('models/classifier/infer', { inputs });
  t.match(body['outputs'], [
    { name: 'same' },
    { name: 'probabilities', shape: [2, 3], data: [0.5, 0.25, 0.25, 0, 0, 1] },
  ]);
  const outputs = [{ name: 'probabilities', parameters: { classification: 1 } }];
  const classes = await ask('models/classifier/infer', { inputs, outputs });
  t.match(classes.body['outputs'], [{ data: ['0.500000:0:cat', '1.000000:2:bird'] }]);
});

t.test('a declaration that is followed is not said to be left out', (t) => {
  t.same(
    lines.filter((line) => line.includes('left out')),
    [],
  );
  t.end();
});
