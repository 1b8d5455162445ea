import { seededRandom } from '../src/core/random.ts';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  wholeNumber,
  writeModel,
} from '../src/repository/onnx-writer.ts';

export const INPUT = 'x';
const OUTPUT = 'y';

/** A model that costs next to nothing, so that only the way to it and back is measured: one addition. */
export function tinyModel(columns: number): Uint8Array {
  const model = newModel({
    name: 'tiny',
    inputs: [{ name: INPUT, dtype: 'FP32', shape: [-1, columns] }],
    outputs: [{ name: OUTPUT, dtype: 'FP32', shape: [-1, columns] }],
  });
  const one = addInitialiser(model.graph, floats('one', [1], [1]));
  addNode(model.graph, { op: 'Add', inputs: [INPUT, one], outputs: [OUTPUT] });
  return writeModel(model);
}

/** A model that takes much, costs next to nothing and says little: the first value of each row. */
export function firstValueModel(columns: number): Uint8Array {
  const model = newModel({
    name: 'first-value',
    inputs: [{ name: INPUT, dtype: 'FP32', shape: [-1, columns] }],
    outputs: [{ name: OUTPUT, dtype: 'FP32', shape: [-1, 1] }],
  });
  const first = addInitialiser(model.graph, wholeNumber('first', 0n));
  const attributes = { axis: { int: 1 } };
  addNode(model.graph, { op: 'Gather', inputs: [INPUT, first], outputs: [OUTPUT], attributes });
  return writeModel(model);
}

/**
 * A model whose run is all arithmetic: `layers` products with one shared square matrix, each followed by a Tanh, which keeps
 * the values in range however many layers there are.
 */
export function stackedModel(columns: number, layers: number): Uint8Array {
  const model = newModel({
    name: 'stacked',
    inputs: [{ name: INPUT, dtype: 'FP32', shape: [-1, columns] }],
    outputs: [{ name: OUTPUT, dtype: 'FP32', shape: [-1, columns] }],
  });
  const { graph } = model;
  const random = seededRandom(1);
  // Uniform values of standard deviation 1.5 / sqrt(columns): the values neither die out nor all reach 1.
  const bound = (1.5 * Math.sqrt(3)) / Math.sqrt(columns);
  const weights = Float32Array.from(
    { length: columns * columns },
    () => (2 * random.unit() - 1) * bound,
  );
  const matrix = addInitialiser(graph, floats('weights', [columns, columns], weights));
  let value = INPUT;
  for (let layer = 1; layer <= layers; layer += 1) {
    const product = addNode(graph, {
      op: 'MatMul',
      inputs: [value, matrix],
      outputs: [`product${layer}`],
    });
    const output = layer === layers ? OUTPUT : `value${layer}`;
    value = addNode(graph, { op: 'Tanh', inputs: [product], outputs: [output] });
  }
  return writeModel(model);
}

/** A model that takes long to read and to make ready: `layers` square matrices of their own, 4 bytes a weight. */
export function largeModel(columns: number, layers: number): Uint8Array {
  const model = newModel({
    name: 'large',
    inputs: [{ name: INPUT, dtype: 'FP32', shape: [-1, columns] }],
    outputs: [{ name: OUTPUT, dtype: 'FP32', shape: [-1, columns] }],
  });
  const random = seededRandom(1);
  const weights = Float32Array.from({ length: columns * columns }, () => random.unit() / columns);
  let value = INPUT;
  for (let layer = 1; layer <= layers; layer += 1) {
    // Not one matrix many times: the runtime would keep it once.
    weights[0] = layer;
    const name = `weights${layer}`;
    const matrix = addInitialiser(model.graph, floats(name, [columns, columns], weights));
    const output = layer === layers ? OUTPUT : `value${layer}`;
    value = addNode(model.graph, { op: 'MatMul', inputs: [value, matrix], outputs: [output] });
  }
  return writeModel(model);
}
