import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { withInspector } from '../../src/repository/inspector.ts';
import { readPackage } from '../../src/repository/package.ts';
import { scanModel, scanRepository } from '../../src/repository/scan.ts';
import { declaredIn } from '../../src/repository/triton-declared.ts';
import { versionsToLoad } from '../../src/repository/versions-to-load.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { aRepository, type Files } from './a-repository.ts';

/** `x` to `y`, FP32 [-1,2]. */
const MODEL = anIdentityModel('FP32');

/** What a scan finds of a model `m`, without the folder's name. */
async function scanOf(files: Files, options: { config?: string } = {}) {
  const paths = Object.entries(files).map(([path, content]) => [`m/${path}`, content]);
  const root = await aRepository(Object.fromEntries(paths));
  const { packages, problems, notes } = await scanModel(root, 'm', options);
  const told = ({ where, message }: { where: string; message: string }) =>
    `${where.slice(root.length)}: ${message}`;
  return { root, packages, problems: problems.map(told), notes: notes.map(told) };
}

t.test('a folder as Triton lays it out is served as it is', async (t) => {
  const { root, packages, problems, notes } = await scanOf({
    'config.pbtxt': `
      name: "m" platform: "onnxruntime_onnx" max_batch_size: 8
      input [ { name: "x" data_type: TYPE_FP32 dims: [ 2 ] } ]
      output [ { name: "y" data_type: TYPE_FP32 dims: [ 2 ] label_filename: "labels.txt" } ]
      optimization { graph { level: 1 } }
      default_model_filename: "net.onnx"
      model_warmup { name: "zeros" batch_size: 4 count: 3
        inputs { key: "x" value { data_type: TYPE_FP32 dims: 2 zero_data: true } } }
      model_warmup { name: "kept" inputs { key: "x" value { dims: 2 input_data_file: "x.bin" } } }`,
    'labels.txt': 'cat\ndog\n',
    'warmup/x.bin': new Uint8Array(8),
    'configs/other.pbtxt': 'max_batch_size: 4',
    '1/net.onnx': MODEL,
    '2/net.onnx': MODEL,
    'tuned/net.onnx': MODEL,
  });
  t.same(problems, []);
  t.same(notes, [
    '/m: config.pbtxt: left out, as it is not done here: optimization.graph (the runtime optimises the graph as it does by default)',
    '/m: left aside, as a version is a number without leading zeros unless the configuration, a route or a command names it: tuned',
  ]);
  const [first, second] = packages;
  t.same(
    packages.map(({ version }) => version),
    ['1', '2'],
  );
  t.equal(first?.modelFile, 'net.onnx');
  t.equal(first?.models[0]?.file, join(root, 'm/1/net.onnx'));
  t.same(first?.settings.baseConfig, { file: 'config.pbtxt', section: { batch: { rowsMax: 8 } } });
  t.equal(second?.settings, first?.settings, 'one object for all versions');
  t.same(first?.labelsByOutput, new Map([['y', ['cat', 'dog']]]));
  t.same(first?.labels, ['cat', 'dog']);
  t.same(first?.warmups, [
    {
      name: 'zeros',
      count: 3,
      inputs: [{ name: 'x', dtype: 'FP32', shape: [4, 2], content: { kind: 'zeros' } }],
    },
    {
      name: 'kept',
      count: 1,
      inputs: [
        {
          name: 'x',
          dtype: 'FP32',
          shape: [1, 2],
          content: { kind: 'file', file: join(root, 'm/warmup/x.bin') },
        },
      ],
    },
  ]);
});

t.test('nothing but the numbered folders is needed', async (t) => {
  const { packages, problems, notes } = await scanOf({ '1/model.onnx': MODEL });
  t.same([problems, notes], [[], []]);
  t.match(packages[0], { modelFile: 'model.onnx', warmups: [], labelsByOutput: new Map() });
  t.same(packages[0]?.settings, {
    baseConfig: { file: 'config.pbtxt', section: {} },
    ignored: [],
    declared: declaredIn({}),
  });
});

t.test('what lies above a version does not change its digest', async (t) => {
  const bare = await scanOf({ '1/model.onnx': MODEL });
  const said = await scanOf({ '1/model.onnx': MODEL, 'config.pbtxt': 'max_batch_size: 4' });
  t.equal(said.packages[0]?.digest, bare.packages[0]?.digest);
  const alone = await withInspector((inspector) =>
    readPackage(join(bare.root, 'm/1'), { model: 'm', version: '1' }, { inspector }),
  );
  t.equal(alone.digest, bare.packages[0]?.digest);
});

t.test('a version that is half written is a problem, and other folders are none', async (t) => {
  const files = { 'warmup/x.bin': 'x', '1/model.onnx': MODEL, '2/model.onnx.part': 'x' };
  const { packages, problems } = await scanOf({ ...files, 'config.pbtxt': '' });
  t.same(
    packages.map(({ version }) => version),
    ['1'],
  );
  t.same(problems, ['/m/2: expected a file model.onnx, found none']);
  const bare = await scanOf(files);
  t.same(bare.problems, problems);
  t.match(bare.notes, [/: warmup$/], 'without a config.pbtxt every folder is reported');
});

t.test('a model of several files may lie in a folder of its own', async (t) => {
  const { root, packages, problems } = await scanOf({ '1/model.onnx/model.onnx': MODEL });
  t.same(problems, []);
  t.equal(packages[0]?.models[0]?.file, join(root, 'm/1/model.onnx/model.onnx'));
});

t.test(
  'a configuration that is brought along goes in place of the one that lies there',
  async (t) => {
    const config = JSON.stringify({ max_batch_size: '16', backend: 'onnxruntime' });
    const { packages, problems } = await scanOf(
      { 'config.pbtxt': 'backend: "python"', '1/model.onnx': MODEL },
      { config },
    );
    t.same(problems, []);
    t.same(packages[0]?.settings.baseConfig.section, { batch: { rowsMax: 16 } });
  },
);

t.test("a version's own labels go before those of the folder above it", async (t) => {
  const { packages } = await scanOf({
    'config.pbtxt': 'output { name: "y" label_filename: "labels.txt" }',
    'labels.txt': 'cat\ndog\n',
    '1/model.onnx': MODEL,
    '1/model.yaml': 'labels: [shirt, coat]\n',
  });
  t.same(packages[0]?.labelsByOutput, new Map([['y', ['shirt', 'coat']]]));
});

const X = 'name: "x"';
const warmup = (input: string) =>
  `model_warmup { name: "w" batch_size: 2 inputs { key: "x" value { ${input} } } }`;

/** What a `config.pbtxt` beside a model `x` to `y`, FP32 [-1,2], is refused for. */
const REFUSED: readonly { readonly config: string; readonly says: string | RegExp }[] = [
  {
    config: 'max_batch_size: x',
    says: '/m: config.pbtxt:1:17 integer value expected, found "max_batch_size: x"',
  },
  { config: 'backend: "python"', says: /^\/m: config\.pbtxt:1:1 backend: expected onnxruntime, / },
  {
    config: 'input { name: "z" }',
    says: '/m/1: config.pbtxt:1:9 input "z": the model has no such input. It has "x"',
  },
  {
    config: `input { ${X} data_type: TYPE_INT8 }`,
    says: '/m/1: config.pbtxt:1:9 input "x": expected INT8 in the model, found FP32',
  },
  {
    config: `max_batch_size: 4 input { ${X} dims: 3 }`,
    says: '/m/1: config.pbtxt:1:27 input "x": expected [-1,3] in the model, found [-1,2]. Beside a max_batch_size, dims leave the batch out',
  },
  {
    config: `max_batch_size: 4 input { ${X} dims: [ -1, 2 ] }`,
    says: '/m/1: config.pbtxt:1:27 input "x": expected [-1,-1,2] in the model, found [-1,2]. Beside a max_batch_size, dims leave the batch out',
  },
  {
    config: `input { ${X} dims: 2 }`,
    says: '/m/1: config.pbtxt:1:9 input "x": expected [2] in the model, found [-1,2]',
  },
  {
    config: 'output { name: "y" label_filename: "none.txt" }',
    says: /^\/m: expected the labels in none\.txt: ENOENT/,
  },
  {
    config: 'output { name: "y" label_filename: "three.txt" }',
    says: '/m/1: output "y": expected as many labels as it has classes, found 3 for [-1,2]',
  },
  {
    config: warmup('dims: 2 input_data_file: "none.bin"'),
    says: '/m/1: model_warmup "w" input "x": expected a file warmup/none.bin, found none',
  },
  {
    config: warmup('dims: 2 input_data_file: "x.bin"'),
    says: '/m/1: model_warmup "w" input "x": expected 16 bytes in warmup/x.bin for FP32 [2,2], found 8',
  },
  {
    config: warmup('dims: [ 1000000000, 2 ] zero_data: true'),
    says: '/m/1: model_warmup "w" input "x": expected at most 1073741824 bytes, found 8000000000',
  },
  {
    config: warmup('dims: 3 zero_data: true'),
    says: '/m/1: model_warmup "w" input "x": expected dimensions that fit [-1,2], found [3]',
  },
  {
    config: warmup('dims: 2 data_type: TYPE_INT64 zero_data: true'),
    says: '/m/1: model_warmup "w" input "x": expected FP32, found INT64',
  },
  {
    config: 'model_warmup { name: "w" inputs { key: "z" value { dims: 2 zero_data: true } } }',
    says: '/m/1: model_warmup "w" input "x": expected it to be given, found none',
  },
];

for (const { config, says } of REFUSED) {
  t.test(`refused: ${says}`, async (t) => {
    const { packages, problems } = await scanOf({
      'config.pbtxt': config,
      'three.txt': 'a\nb\nc\n',
      'warmup/x.bin': new Uint8Array(8),
      '1/model.onnx': MODEL,
    });
    t.same(packages, []);
    t.match(problems, [says]);
    t.equal(problems.length, 1);
  });
}

t.test('rows that a model cannot join are refused with what to write instead', async (t) => {
  const files = { '1/model.onnx': anIdentityModel('FP32', [1, 2]) };
  const { problems } = await scanOf({ ...files, 'config.pbtxt': 'max_batch_size: 4' });
  t.same(problems, [
    '/m/1: config.pbtxt:1:1 max_batch_size: expected a free first dimension of every input and output, found "x" [1,2]. Set it to 0 for a model without a batch dimension',
  ]);
  const whole = 'max_batch_size: 0 input { name: "x" dims: [ 1, 2 ] }';
  t.same((await scanOf({ ...files, 'config.pbtxt': whole })).problems, []);
});

t.test('one model that cannot be read does not keep the others', async (t) => {
  const root = await aRepository({
    'bad/config.pbtxt': 'nonsense',
    'bad/1/model.onnx': MODEL,
    'good/config.pbtxt': 'max_batch_size: 4',
    'good/1/model.onnx': MODEL,
    'worse/1/model.onnx': MODEL,
  });
  await mkdir(join(root, 'worse/config.pbtxt'));
  const { packages, problems } = await scanRepository(root);
  t.same(
    packages.map(({ model }) => model),
    ['good'],
  );
  t.same(
    problems.map(({ where }) => where),
    [join(root, 'bad'), join(root, 'worse')],
  );
  t.match(problems[1]?.message, /^expected a readable config\.pbtxt: EISDIR/);
});

t.test('a reshape is held against the model in the shape that it gives it', async (t) => {
  const files = { '1/model.onnx': anIdentityModel('FP32', [1, -1, 2]) };
  const reshaped = (shape: string) =>
    scanOf({
      ...files,
      'config.pbtxt': `max_batch_size: 0 input { name: "x" dims: [ -1, 2 ] reshape { shape: [ ${shape} ] } }`,
    });
  const { packages } = await reshaped('1, -1, 2');
  t.same(packages[0]?.signature.inputs[0]?.shape, [-1, 2]);
  t.same(packages[0]?.inspected.signature.inputs[0]?.shape, [1, -1, 2]);
  t.same(packages[0]?.reshapes, [{ side: 'input', name: 'x', served: [-1, 2], model: [1, -1, 2] }]);
  t.same((await reshaped('-1, 2, 1')).problems, [
    '/m/1: config.pbtxt:1:27 input "x": expected [-1,2,1] in the model, as it is reshaped, found [1,-1,2]',
  ]);
  const fixed = await scanOf({
    '1/model.onnx': anIdentityModel('FP32', [1, 3, 2]),
    'config.pbtxt':
      'max_batch_size: 0 input { name: "x" dims: [ -1, 2 ] reshape { shape: [ 1, -1, 2 ] } }',
  });
  t.same(fixed.packages[0]?.signature.inputs[0]?.shape, [3, 2], 'what the model fixes is fixed');
});

const FOUND = ['1', '2', '10', 'tuned'];

t.test('the policy adds to what the route leads to', (t) => {
  const load = (policy: Parameters<typeof versionsToLoad>[0]['policy'], ...routed: string[]) =>
    versionsToLoad({ policy, found: FOUND, routed });
  t.same(load({ kind: 'latest', count: 1 }, '2'), ['2'], 'the newest may have been refused');
  t.same(load({ kind: 'latest', count: 2 }, '1'), ['1', '2', '10']);
  t.same(load({ kind: 'latest', count: 9 }), ['1', '2', '10'], 'a name is never among the newest');
  t.same(load({ kind: 'all' }, '1'), FOUND);
  t.same(
    load({ kind: 'specific', versions: ['10', '7'] }, '2'),
    ['2', '10'],
    'without what is not there',
  );
  t.end();
});
