import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Dtype, TensorSpec } from '../../src/core/tensor.ts';
import { readOnnxSignature } from '../../src/repository/onnx-file.ts';
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

t.test('weights among the inputs are no inputs', (t) => {
  const model = aModel();
  model.graph.input.push({ name: 'shift', type: { tensor_type: { elem_type: 1, shape: {} } } });
  t.same(readOnnxSignature(writeModel(model)).inputs, [
    { name: 'x', dtype: 'FP32', shape: [-1, 2] },
  ]);
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
    says: 'input "x": expected a tensor, found an optional value',
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
    says: 'input "x": expected a shape, found none declared. Shape inference, or a declared number of dimensions, mends it',
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
