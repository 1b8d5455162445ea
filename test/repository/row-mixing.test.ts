import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { readOnnxSummary } from '../../src/repository/onnx-file.ts';
import type { OnnxGraph } from '../../src/repository/onnx-schema.ts';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';
import { rowsOfGraph } from '../../src/repository/row-mixing.ts';
import { rowModels } from '../support/row-models/row-models.ts';

const X = { name: 'x', dtype: 'FP32', shape: [-1, 4] } as const;

/** `x` [N,4] to `y`; an If whose branches negate it or give it back. */
function aChoice(condition: 'fixed' | 'sent', inBranch = 'Neg'): Uint8Array {
  const model = newModel({ name: 'choice', inputs: [X], outputs: [{ ...X, name: 'y' }] });
  const { graph } = model;
  addInitialiser(graph, floats('half', [1], [0.5]));
  const from = condition === 'fixed' ? 'half' : 'x';
  addNode(graph, { op: 'Cast', inputs: [from], outputs: ['c'], attributes: { to: { int: 9 } } });
  addNode(graph, { op: 'If', inputs: ['c'], outputs: ['y'], name: 'choice' });
  const branch = (op: string): OnnxGraph => {
    const inner = newModel({ name: op, inputs: [], outputs: [{ ...X, name: op }] }).graph;
    addNode(inner, { op, inputs: ['x'], outputs: [op], name: 'inner' });
    return inner;
  };
  graph.node
    .at(-1)
    ?.attribute.push(
      { name: 'then_branch', type: 5, g: branch(inBranch) },
      { name: 'else_branch', type: 5, g: branch('Identity') },
    );
  return writeModel(model);
}

t.test('each generated model comes out as what it is', async (t) => {
  const models = rowModels();
  t.ok(models.length >= 60, `${models.length} models`);
  for (const { name, bytes, expected } of models) {
    const { rows } = readOnnxSummary(bytes);
    t.equal(rows.kind, expected, `${name}: ${rows.kind === 'mixed' ? rows.because : ''}`);
  }
});

t.test('the reason names the node, its operator and the axis', async (t) => {
  const model = rowModels().find(({ name }) => name === 'softmax over rows');
  t.ok(model);
  const because = "node 'softmax' (Softmax) works along axis 0";
  t.same(rowsOfGraph(model?.bytes ?? new Uint8Array()), { kind: 'mixed', because });
});

t.test('a branch on what is sent mixes rows; one that is fixed is looked into', async (t) => {
  t.match(rowsOfGraph(aChoice('sent')), { kind: 'mixed', because: /^node 'choice' \(If\)/ });
  t.same(rowsOfGraph(aChoice('fixed')), { kind: 'apart' });
  t.match(rowsOfGraph(aChoice('fixed', 'ReduceMax')), {
    kind: 'mixed',
    because: "node 'inner' (ReduceMax) works along all axes",
  });
});

/** `x` [N,4] to `y`: a Scan along this axis, whose body negates. */
function aScan(axis: number): Uint8Array {
  const model = newModel({ name: 'scan', inputs: [X], outputs: [{ ...X, name: 'y' }] });
  const { graph } = model;
  const attributes = { num_scan_inputs: { int: 1 }, scan_input_axes: { ints: [axis] } };
  addNode(graph, { op: 'Scan', inputs: ['x'], outputs: ['y'], name: 'steps', attributes });
  const row = { name: 'row', dtype: 'FP32', shape: [-1] } as const;
  const body = newModel({ name: 'body', inputs: [row], outputs: [{ ...row, name: 'out' }] }).graph;
  addNode(body, { op: 'Neg', inputs: ['row'], outputs: ['out'] });
  graph.node[0]?.attribute.push({ name: 'body', type: 5, g: body });
  return writeModel(model);
}

t.test('a Scan over what is sent mixes rows, along any axis, and is named', async (t) => {
  const because = "node 'steps' (Scan) goes along an axis, from row to row";
  for (const axis of [0, 1]) t.same(rowsOfGraph(aScan(axis)), { kind: 'mixed', because });
});

/** A field of a message: texts and messages come with their length. */
function field(number: number, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

t.test('graphs within graphs within graphs are mixed, and no crash', async (t) => {
  let graph: Buffer = Buffer.alloc(0);
  for (let depth = 0; depth < 3_000; depth += 1) {
    graph = field(1, field(5, field(6, graph)));
  }
  const unreadable = { kind: 'mixed', because: 'its graph cannot be read' };
  t.same(rowsOfGraph(field(7, graph)), unreadable);
});

/** A function 'f' whose nodes are calls of 'f', or one node of this operator. */
function aCallOf(...ops: readonly string[]): Uint8Array {
  const model = newModel({ name: 'calls', inputs: [X], outputs: [{ ...X, name: 'y' }] });
  addNode(model.graph, { op: 'f', inputs: ['x'], outputs: ['y'] });
  const domain = model.graph.node[0];
  if (domain) domain.domain = 'local';
  const nodes = ops.map((op) => {
    const where = op === 'f' ? [field(7, 'local')] : [];
    const parts = [field(1, 'a'), field(2, 'b'), field(3, 'inner'), field(4, op), ...where];
    return field(7, Buffer.concat(parts));
  });
  const head = [field(1, 'f'), field(4, 'a'), field(5, 'b'), field(10, 'local')];
  const functions = [Buffer.concat([...head, ...nodes])];
  return writeModel({ ...model, ...{ functions } });
}

t.test('a function of the model is walked into', async (t) => {
  t.same(rowsOfGraph(aCallOf('Neg')), { kind: 'apart' });
  const because = "node 'inner' (ReduceMax) works along all axes";
  t.same(rowsOfGraph(aCallOf('ReduceMax')), { kind: 'mixed', because });
});

t.test('functions that call themselves, once or twice a time, end', async (t) => {
  const because = 'its graphs or functions are nested too deeply';
  t.same(rowsOfGraph(aCallOf('f')), { kind: 'mixed', because });
  t.same(rowsOfGraph(aCallOf('f', 'f')), { kind: 'mixed', because });
});

t.test('no bytes make it throw', async () => {
  const bytes = aChoice('fixed');
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = value;
      assert.ok(['apart', 'mixed'].includes(rowsOfGraph(damaged).kind));
    }),
    { numRuns: 300 },
  );
});
