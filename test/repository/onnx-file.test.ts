import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { spliced } from '../../src/core/model-edits.ts';
import type { Dtype, TensorSpec } from '../../src/core/tensor.ts';
import { readOnnxSignature, readOnnxSummary } from '../../src/repository/onnx-file.ts';
import type { OnnxModel, OnnxType } from '../../src/repository/onnx-schema.ts';
import {
  type AttributeValue,
  addInitialiser,
  addNode,
  copyNodes,
  floats,
  newModel,
  readModel,
  renameValue,
  wholeNumber,
  writeModel,
} from '../../src/repository/onnx-writer.ts';

/** x [N,2] -> y = x + shift. */
function aModel(): OnnxModel {
  const model = newModel({
    name: 'shifted',
    inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, 2] }],
  });
  const shift = addInitialiser(model.graph, floats('shift', [2], [1, 2]));
  addNode(model.graph, { op: 'Add', inputs: ['x', shift], outputs: ['y'] });
  return model;
}

/** The only input's type replaced by one that the writer does not make. */
function withInputType(type: OnnxType): Uint8Array {
  const model = aModel();
  model.graph.input = [{ name: 'x', type }];
  return writeModel(model);
}

/** As literals are made, so that they compare equal. */
const PLAIN = { noNullPrototype: true } as const;

const dtype = fc.constantFrom<Dtype>(
  ...(['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32'] as const),
  ...(['INT64', 'FP16', 'FP32', 'FP64', 'BYTES'] as const),
);
const specs: fc.Arbitrary<TensorSpec[]> = fc.uniqueArray(
  fc.record(
    {
      name: fc.string({ minLength: 1, unit: 'grapheme' }),
      dtype,
      shape: fc.array(fc.constantFrom(-1, 0, 1, 28, 2 ** 31, Number.MAX_SAFE_INTEGER), {
        maxLength: 5,
      }),
    },
    PLAIN,
  ),
  { selector: ({ name }) => name, minLength: 1, maxLength: 5 },
);

t.test('a signature is read back as it was written', (t) => {
  fc.assert(
    fc.property(specs, specs, (inputs, outputs) => {
      const bytes = writeModel(newModel({ name: 'any', inputs, outputs }));
      assert.deepEqual(readOnnxSignature(bytes), { inputs, outputs });
    }),
    { numRuns: 50 },
  );
  t.end();
});

const attribute: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.record({ int: fc.maxSafeInteger() }, PLAIN),
  fc.record({ float: fc.float({ noNaN: true }) }, PLAIN),
  fc.record({ text: fc.string() }, PLAIN),
  fc.record({ ints: fc.array(fc.maxSafeInteger(), { minLength: 1 }) }, PLAIN),
  fc.record({ floats: fc.array(fc.float({ noNaN: true }), { minLength: 1 }) }, PLAIN),
);
const names = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 });
const node = fc.record({
  op: fc.string({ minLength: 1 }),
  inputs: names,
  outputs: names,
  attributes: fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
    attribute,
  ),
});
const weights = fc.array(fc.float({ noNaN: true }), { maxLength: 20 });

t.test('a graph that was read is written again byte by byte', (t) => {
  fc.assert(
    fc.property(
      fc.array(node, { maxLength: 8 }),
      weights,
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      (nodes, values, whole) => {
        const model = aModel();
        for (const each of nodes) addNode(model.graph, each);
        addInitialiser(model.graph, floats('values', [values.length], values));
        addInitialiser(model.graph, wholeNumber('whole', whole));
        const bytes = writeModel(model);
        const again = readModel(bytes);
        assert.deepEqual(writeModel(again), bytes);
        assert.deepEqual(
          again.graph.node
            .slice(1)
            .map(({ op_type, input, output }) => ({ op_type, input, output })),
          nodes.map(({ op, inputs, outputs }) => ({ op_type: op, input: inputs, output: outputs })),
        );
        assert.deepEqual(
          again.graph.node.slice(1).map((each) => each.attribute.map(readAttribute)),
          nodes.map(({ attributes }) => Object.values(attributes)),
        );
      },
    ),
    { numRuns: 50 },
  );
  t.end();
});

function readAttribute(
  read: OnnxModel['graph']['node'][number]['attribute'][number],
): AttributeValue {
  if (read.type === 1) return { float: read.f ?? 0 };
  if (read.type === 2) return { int: Number(String(read.i)) };
  if (read.type === 3) return { text: new TextDecoder().decode(read.s) };
  if (read.type === 6) return { floats: [...(read.floats ?? [])] };
  return { ints: (read.ints ?? []).map((each) => Number(String(each))) };
}

const X = { name: 'x', dtype: 'FP32', shape: [-1, 2] } as const;

/** `aModel` with its weights listed among the inputs, as having such dimensions. */
function withListedWeights(shape?: object): OnnxModel {
  const model = aModel();
  const type = { tensor_type: { elem_type: 1, ...(shape && { shape }) } };
  model.graph.input.push({ name: 'shift', type });
  return model;
}

t.test('an input that the file has a value for may be left out', (t) => {
  const bytes = writeModel(withListedWeights({ dim: [{ dim_value: 2 }] }));
  const { signature, edits, rows } = readOnnxSummary(bytes);
  t.same(signature.inputs, [X, { name: 'shift', dtype: 'FP32', shape: [2], optional: true }]);
  const [given] = edits?.defaults ?? [];
  t.match(given, { name: 'shift', dtype: 'FP32', shape: [2] });
  t.same(
    new Float32Array(Uint8Array.from(Buffer.from(given?.base64 ?? '', 'base64')).buffer),
    [1, 2],
  );
  t.same(rows, { kind: 'apart' }, 'requests that give it run alone');
  const edited = readModel(spliced(bytes, edits?.splices ?? []));
  t.same(edited.graph.initializer, []);
  t.equal(edited.graph.node.length, 1);
  t.end();
});

t.test('weights among the inputs are no inputs where they cannot be meant to be given', (t) => {
  const isWeight = (model: OnnxModel, why: string) => {
    const { signature, edits } = readOnnxSummary(writeModel(model));
    t.same(signature.inputs, [X], why);
    t.equal(edits, undefined, why);
  };
  isWeight(withListedWeights({}), 'declared as something else');
  isWeight(withListedWeights(), 'declared without a shape');
  isWeight({ ...withListedWeights({ dim: [{}] }), ir_version: 3 }, 'old exporters list them all');
  const large = withListedWeights({ dim: [{}] });
  const [weights] = large.graph.initializer;
  Object.assign(weights ?? {}, { dims: [20_000], raw_data: new Uint8Array(80_000) });
  isWeight(large, 'of many kilobytes');
  const many = withListedWeights({ dim: [{}] });
  for (let at = 0; at < 16; at += 1) {
    addInitialiser(many.graph, floats(`w${at}`, [1], [at]));
    const shape = { dim: [{ dim_value: 1 }] };
    many.graph.input.push({ name: `w${at}`, type: { tensor_type: { elem_type: 1, shape } } });
  }
  isWeight(many, 'more than any model has');
  t.end();
});

/** sequence(map(text, FP32)): what a ZipMap gives. */
const MAPS = Uint8Array.of(0x0a, 0x0a, 0x2a, 0x08, 0x08, 0x08, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01);

/** As scikit-learn's converter ends a classifier of three classes. */
function aZipMapModel(): OnnxModel {
  const model = newModel({
    name: 'classifier',
    inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 3] }],
    outputs: [{ name: 'label', dtype: 'FP32', shape: [-1, 3] }],
  });
  model.opset_import.push({ domain: 'ai.onnx.ml', version: 3 });
  const { graph } = model;
  addNode(graph, { op: 'Identity', inputs: ['x'], outputs: ['label'] });
  addNode(graph, { op: 'Identity', inputs: ['x'], outputs: ['scores'] });
  addNode(graph, {
    op: 'ZipMap',
    inputs: ['scores'],
    outputs: ['probabilities'],
    attributes: { classlabels_strings: { texts: ['cat', 'dog', 'bird'] } },
  });
  Object.assign(graph.node.at(-1) ?? {}, { domain: 'ai.onnx.ml' });
  graph.output.push({ name: 'probabilities', type: { sequence_type: MAPS } });
  return model;
}

t.test('the maps of a ZipMap are given as the table that they are made of', (t) => {
  const bytes = writeModel(aZipMapModel());
  const { signature, edits, labels, rows } = readOnnxSummary(bytes);
  t.same(signature.outputs[1], { name: 'probabilities', dtype: 'FP32', shape: [-1, 3] });
  t.same(labels, { kind: 'labels', labels: ['cat', 'dog', 'bird'] });
  t.same(rows, { kind: 'apart' });
  const edited = readModel(spliced(bytes, edits?.splices ?? []));
  t.same(
    edited.graph.node.map(({ op_type, output }) => [op_type, ...output]),
    [
      ['Identity', 'label'],
      ['Identity', 'scores'],
      ['Identity', 'probabilities'],
    ],
  );
  t.end();
});

t.test('maps that another node takes, or that no ZipMap makes, stay refused', (t) => {
  const used = aZipMapModel();
  addNode(used.graph, { op: 'SequenceLength', inputs: ['probabilities'], outputs: ['n'] });
  t.throws(() => readOnnxSignature(writeModel(used)), { message: /zipmap/ });
  const foreign = aZipMapModel();
  Object.assign(foreign.graph.node.at(-1) ?? {}, { domain: 'com.example' });
  t.throws(() => readOnnxSignature(writeModel(foreign)), { message: /zipmap/ });
  t.end();
});

t.test('a negative dimension is a free one, and a scalar has none', (t) => {
  const shape = { dim: [{ dim_value: -1 }, { dim_param: 'W' }, {}] };
  const bytes = withInputType({ tensor_type: { elem_type: 2, shape } });
  t.same(readOnnxSignature(bytes).inputs, [{ name: 'x', dtype: 'UINT8', shape: [-1, -1, -1] }]);
  const scalar = withInputType({ tensor_type: { elem_type: 7, shape: {} } });
  t.same(readOnnxSignature(scalar).inputs, [{ name: 'x', dtype: 'INT64', shape: [] }]);
  t.end();
});

t.test('probabilities as a sequence of maps are refused with what helps', (t) => {
  const model = aModel();
  model.graph.output.push({ name: 'probabilities', type: { sequence_type: new Uint8Array() } });
  t.throws(() => readOnnxSignature(writeModel(model)), {
    message: /output "probabilities": .* found a sequence\. .*options=\{'zipmap': False\}/,
  });
  t.end();
});

const EMPTY = new Uint8Array();
const REFUSED: readonly { readonly bytes: Uint8Array; readonly says: string | RegExp }[] = [
  {
    bytes: withInputType({ sequence_type: EMPTY }),
    says: 'input "x": expected a tensor, found a sequence',
  },
  { bytes: withInputType({ map_type: EMPTY }), says: 'input "x": expected a tensor, found a map' },
  {
    bytes: withInputType({ optional_type: EMPTY }),
    says: 'input "x": expected a tensor, found an optional value. ONNX Runtime\'s binding cannot run without it: export a plain tensor that has an initializer, which a request may leave out, or one model with it and one without',
  },
  {
    bytes: withInputType({ sparse_tensor_type: EMPTY }),
    says: 'input "x": expected a tensor, found a sparse tensor',
  },
  { bytes: withInputType({}), says: 'input "x": expected a tensor, found no type' },
  {
    bytes: withInputType({ tensor_type: { elem_type: 16, shape: {} } }),
    says: 'input "x": expected elements that can be served, found bfloat16',
  },
  {
    bytes: withInputType({ tensor_type: { elem_type: 99, shape: {} } }),
    says: 'input "x": expected elements that can be served, found element type 99',
  },
  {
    bytes: withInputType({ tensor_type: { elem_type: 1 } }),
    says: 'input "x": expected a shape, found none declared. Shape inference, or a declared number of dimensions, fixes it',
  },
  { bytes: EMPTY, says: 'expected an ONNX model, found an empty file' },
  {
    bytes: new TextEncoder().encode('<html>not found</html>'),
    says: /^expected an ONNX model, found 22 bytes/,
  },
];

for (const { bytes, says } of REFUSED) {
  t.test(`refused: ${says}`, (t) => {
    t.throws(() => readOnnxSignature(bytes), { message: says });
    t.end();
  });
}

t.test('a file cut off anywhere is refused', (t) => {
  const bytes = writeModel(aModel());
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => readOnnxSignature(bytes.subarray(0, length)), {
      message: /^expected an ONNX model/,
    });
  }
  t.end();
});

t.test('a value takes its new name wherever it is made and read', (t) => {
  const { graph } = aModel();
  addNode(graph, { op: 'Relu', inputs: ['y'], outputs: ['z'] });
  renameValue(graph, 'y', 'w');
  t.same(
    graph.node.map(({ input, output }) => [...input, ...output]),
    [
      ['x', 'shift', 'w'],
      ['w', 'z'],
    ],
  );
  t.end();
});

t.test('a copy of the nodes shares the weights and nothing else', (t) => {
  const { graph } = aModel();
  addNode(graph, { op: 'Clip', inputs: ['y', '', 'shift'], outputs: ['z'] });
  const copies = copyNodes(graph, (value) => `copy/${value}`, { x: 'other' });
  t.same(
    copies.map(({ input, output }) => ({ input, output })),
    [
      { input: ['other', 'shift'], output: ['copy/y'] },
      { input: ['copy/y', '', 'shift'], output: ['copy/z'] },
    ],
  );
  t.end();
});
