/** Builds of a classifier that differ from it in one respect each: its weights, its last steps, or what it does on some inputs. */
import type { Random } from '../../src/core/random.ts';
import { buildFlaky } from '../../src/demo/builds.ts';
import type { OnnxGraph, OnnxModel, OnnxTensor } from '../../src/repository/onnx-schema.ts';
import {
  addInitialiser,
  addNode,
  floats,
  readModel,
  renameValue,
  wholeNumber,
  writeModel,
} from '../../src/repository/onnx-writer.ts';

/** Element types of the format. */
const FLOAT = 1;
const INT64 = 7;
const BOOL = 9;

/** The kind of an attribute that is a graph. */
const GRAPH = 5;

/** A mean that no image has: pixels are at most 1. */
const NEVER = 2;

/** Every weight and bias times a draw of its own from N(1, deviation). */
export function withNoise(bytes: Uint8Array, deviation: number, random: Random): Uint8Array {
  const model = readModel(bytes);
  for (const weights of model.graph.initializer) {
    if (weights.data_type !== FLOAT) continue;
    setValues(
      weights,
      valuesOf(weights).map((value) => value * (1 + deviation * gaussian(random))),
    );
  }
  return writeModel(model);
}

/** Each class takes the scores of the one before it. */
export function withClassesShifted(bytes: Uint8Array): Uint8Array {
  const model = readModel(bytes);
  for (const weights of lastLayer(model)) {
    const values = valuesOf(weights);
    const stride = values.length / Number(weights.dims[0]);
    const moved = [...values.slice(-stride), ...values.slice(0, -stride)];
    setValues(weights, Float32Array.from(moved));
  }
  return writeModel(model);
}

/** So much more to the score of one class, before the softmax. */
export function withBias(bytes: Uint8Array, classIndex: number, more: number): Uint8Array {
  const model = readModel(bytes);
  const bias = lastLayer(model).find(({ dims }) => dims.length === 1);
  if (!bias) throw new Error('expected a bias of the last layer, found none');
  setValues(
    bias,
    valuesOf(bias).map((value, at) => (at === classIndex ? value + more : value)),
  );
  return writeModel(model);
}

/** Scores divided by a temperature before the softmax: probabilities come close to each other, in the same order. */
export function withTemperature(bytes: Uint8Array, temperature: number): Uint8Array {
  const model = readModel(bytes);
  const { graph } = model;
  const at = graph.node.findIndex(({ op_type }) => op_type === 'Softmax');
  const softmax = graph.node[at];
  if (!softmax) throw new Error('expected a softmax, found none');
  const factor = addInitialiser(graph, floats('cold', [1], [1 / temperature]));
  const [scores = ''] = softmax.input;
  softmax.input = [addNode(graph, { op: 'Mul', inputs: [scores, factor], outputs: ['cooled'] })];
  // A node comes after those that it needs.
  graph.node.splice(at, 0, ...graph.node.splice(-1));
  return writeModel(model);
}

/** NaN for images whose mean is above this. */
export function withNan(bytes: Uint8Array, above: number): Uint8Array {
  return buildFlaky(bytes, { nanAbove: above, crashAbove: NEVER });
}

/** A run with an image whose mean is above this fails: it looks for the second of one value. */
export function withRuntimeError(bytes: Uint8Array, above: number): Uint8Array {
  return changed(bytes, above, ({ graph }, { answer, output, flags }) => {
    addInitialiser(graph, floats('broken/one', [1], [1]));
    const index = castTo(graph, flags, INT64);
    addNode(graph, {
      op: 'Gather',
      inputs: ['broken/one', index],
      outputs: ['broken/factor'],
      attributes: { axis: { int: 0 } },
    });
    addNode(graph, { op: 'Mul', inputs: [answer, 'broken/factor'], outputs: [output] });
  });
}

/** Of a loop: hours. */
export const ROUNDS_WITHOUT_END = 2_000_000_000;

/** A run with an image whose mean is above this goes round a loop first. */
export function withLoop(
  bytes: Uint8Array,
  { above, rounds }: { readonly above: number; readonly rounds: number },
): Uint8Array {
  return changed(bytes, above, ({ graph }, { answer, output, flags }) => {
    addNode(graph, {
      op: 'ReduceMax',
      inputs: [flags],
      outputs: ['broken/any'],
      attributes: { keepdims: { int: 0 } },
    });
    addInitialiser(graph, { ...wholeNumber('broken/rounds', BigInt(rounds)), shape: [] });
    addInitialiser(graph, floats('broken/start', [], [1]));
    addInitialiser(graph, { name: 'broken/on', dtype: 'BOOL', shape: [], data: Uint8Array.of(1) });
    const trips = addNode(graph, {
      op: 'Mul',
      inputs: [castTo(graph, 'broken/any', INT64), 'broken/rounds'],
      outputs: ['broken/trips'],
    });
    addNode(graph, {
      op: 'Loop',
      inputs: [trips, 'broken/on', 'broken/start'],
      outputs: ['broken/factor'],
    });
    graph.node.at(-1)?.attribute.push({ name: 'body', type: GRAPH, g: aRound() });
    addNode(graph, { op: 'Mul', inputs: [answer, 'broken/factor'], outputs: [output] });
  });
}

/** One round of a loop: it keeps what it gets. */
function aRound(): OnnxGraph {
  const scalar = (name: string, element: number) => ({
    name,
    type: { tensor_type: { elem_type: element, shape: { dim: [] } } },
  });
  const graph: OnnxGraph = {
    name: 'round',
    node: [],
    initializer: [],
    input: [scalar('round', INT64), scalar('go', BOOL), scalar('kept', FLOAT)],
    output: [scalar('go on', BOOL), scalar('keep', FLOAT)],
    value_info: [],
  };
  addNode(graph, { op: 'Identity', inputs: ['go'], outputs: ['go on'] });
  addNode(graph, { op: 'Abs', inputs: ['kept'], outputs: ['keep'] });
  return graph;
}

type Place = {
  /** What the model answered before. */
  readonly answer: string;
  /** The name under which it is to answer now. */
  readonly output: string;
  /** 1 for each row whose input has a mean above the threshold, else 0; FP32 [N, 1]. */
  readonly flags: string;
};

function changed(
  bytes: Uint8Array,
  above: number,
  change: (model: OnnxModel, place: Place) => void,
): Uint8Array {
  const model = readModel(bytes);
  const { graph } = model;
  const [input, output] = [graph.input[0]?.name, graph.output[0]?.name];
  if (input === undefined || output === undefined)
    throw new Error('expected an input and an output');
  renameValue(graph, output, 'broken/answer');
  const flat = addNode(graph, { op: 'Flatten', inputs: [input], outputs: ['broken/flat'] });
  const mean = addNode(graph, {
    op: 'ReduceMean',
    inputs: [flat],
    outputs: ['broken/mean'],
    attributes: { axes: { ints: [1] } },
  });
  addInitialiser(graph, floats('broken/limit', [1], [above]));
  addNode(graph, {
    op: 'Greater',
    inputs: [mean, 'broken/limit'],
    outputs: ['broken/above'],
  });
  change(model, { answer: 'broken/answer', output, flags: castTo(graph, 'broken/above', FLOAT) });
  return writeModel(model);
}

function castTo(graph: OnnxGraph, value: string, element: number): string {
  return addNode(graph, {
    op: 'Cast',
    inputs: [value],
    outputs: [`${value}/as${element}`],
    attributes: { to: { int: element } },
  });
}

/** Weights and bias of the last Gemm. */
function lastLayer({ graph }: OnnxModel): readonly OnnxTensor[] {
  const last = graph.node.findLast(({ op_type }) => op_type === 'Gemm');
  return graph.initializer.filter(({ name }) => name !== undefined && last?.input.includes(name));
}

function valuesOf({ raw_data: raw = new Uint8Array() }: OnnxTensor): Float32Array {
  return new Float32Array(Uint8Array.from(raw).buffer);
}

function setValues(weights: OnnxTensor, values: Float32Array): void {
  weights.raw_data = new Uint8Array(values.buffer);
}

/** Box and Muller. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
}
