import fc from 'fast-check';
import t from 'tap';
import type { OnnxModel } from '../../src/repository/onnx-schema.ts';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';
import { varintBytes } from '../../src/repository/proto-wire.ts';
import { graphDigest, weightsDigest } from '../../src/repository/weights-digest.ts';

type Change = (model: OnnxModel) => void;

/** x [N,2] -> y = x + shift, changed as a test asks for. */
function aModel(weight = 1, change: Change = () => undefined): Uint8Array {
  const model = newModel({
    name: 'shifted',
    inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, 2] }],
  });
  const shift = addInitialiser(model.graph, floats('shift', [2], [weight, 2]));
  addNode(model.graph, { op: 'Add', inputs: ['x', shift], outputs: ['y'] });
  change(model);
  return writeModel(model);
}

/** A field of text behind a message, as any writer may add one. */
function withField(bytes: Uint8Array, number: number, text: string): Uint8Array {
  const content = Buffer.from(text);
  return Buffer.concat([bytes, varintBytes(number * 8 + 2), varintBytes(content.length), content]);
}

const PLAIN = graphDigest(aModel());

t.test('what only documents a model leaves its digest as it is', async (t) => {
  const metadata = { producer_name: 2, producer_version: 3, domain: 4, doc_string: 6, props: 14 };
  for (const [name, number] of Object.entries(metadata)) {
    t.equal(graphDigest(withField(aModel(), number, 'another')), PLAIN, name);
  }
  const renamed = aModel(1, ({ graph }) => {
    graph.name = 'another';
    for (const node of graph.node) node.name = 'another';
  });
  t.equal(graphDigest(renamed), PLAIN, 'names of the graph and its nodes');
});

t.test('what a model computes changes its digest', async (t) => {
  const changed = {
    'a weight': aModel(1.0000001),
    'an operator': aModel(1, ({ graph }) => {
      for (const node of graph.node) node.op_type = 'Sub';
    }),
    'an order of inputs': aModel(1, ({ graph }) => {
      for (const node of graph.node) node.input.reverse();
    }),
    'an opset': aModel(1, (model) => {
      model.opset_import = [{ version: 12 }];
    }),
    'a weight more': aModel(1, ({ graph }) => {
      addInitialiser(graph, floats('unused', [1], [1]));
    }),
  };
  for (const [name, bytes] of Object.entries(changed)) t.not(graphDigest(bytes), PLAIN, name);
});

t.test('weights in files beside the model count in the order that it names them', async (t) => {
  t.equal(weightsDigest(PLAIN, []), PLAIN);
  const [ab, ba] = [weightsDigest(PLAIN, ['a', 'b']), weightsDigest(PLAIN, ['b', 'a'])];
  t.not(ab, ba);
  t.not(ab, PLAIN);
});

t.test('bytes that are no model have a digest all the same', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) =>
      /^[0-9a-f]{64}$/.test(graphDigest(bytes)),
    ),
  );
});
