import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Dtype } from '../../src/core/tensor.ts';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  wholeNumber,
  writeModel,
} from '../../src/repository/onnx-writer.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'understudy-models-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
let files = 0;

/** Writes these bytes to a file of their own, which is removed when the test ends. */
export function aModelFile(bytes: Uint8Array): string {
  files += 1;
  const file = path.join(directory, `${files}.onnx`);
  writeFileSync(file, bytes);
  return file;
}

/** Gives back what it gets: `x` to `y`. */
export function anIdentityModel(dtype: Dtype, shape: readonly number[] = [-1, 2]): Uint8Array {
  const model = newModel({
    name: 'identity',
    inputs: [{ name: 'x', dtype, shape }],
    outputs: [{ name: 'y', dtype, shape }],
  });
  addNode(model.graph, { op: 'Identity', inputs: ['x'], outputs: ['y'] });
  return writeModel(model);
}

/**
 * `x` to zeros, FP32 [N, 4]; an element of 1 or more ends the process by SIGFPE on x86-64. Floor(x) - 2 is -1 just then, and
 * the remainder of the least 64-bit integer by -1 overflows the processor's division.
 */
export function aCrashingModel(): Uint8Array {
  const spec = { dtype: 'FP32', shape: [-1, 4] } as const;
  const { graph, ...rest } = newModel({
    name: 'crashing',
    inputs: [{ name: 'x', ...spec }],
    outputs: [{ name: 'y', ...spec }],
  });
  addInitialiser(graph, floats('two', [1], [2]));
  addInitialiser(graph, wholeNumber('least', -(2n ** 63n)));
  addNode(graph, { op: 'Floor', inputs: ['x'], outputs: ['floor'] });
  addNode(graph, { op: 'Sub', inputs: ['floor', 'two'], outputs: ['shifted'] });
  addNode(graph, {
    op: 'Cast',
    inputs: ['shifted'],
    outputs: ['divisor'],
    attributes: { to: { int: 7 } },
  });
  addNode(graph, { op: 'Mod', inputs: ['least', 'divisor'], outputs: ['remainder'] });
  addNode(graph, {
    op: 'Cast',
    inputs: ['remainder'],
    outputs: ['y'],
    attributes: { to: { int: 1 } },
  });
  return writeModel({ graph, ...rest });
}

/** `sizes`, two of them, to the largest element of a matrix of zeros that has them: FP32, so that 4 bytes each are taken. */
export function aGreedyModel(): Uint8Array {
  const { graph, ...rest } = newModel({
    name: 'greedy',
    inputs: [{ name: 'sizes', dtype: 'INT64', shape: [2] }],
    outputs: [{ name: 'y', dtype: 'FP32', shape: [] }],
  });
  addNode(graph, { op: 'ConstantOfShape', inputs: ['sizes'], outputs: ['zeros'] });
  const attributes = { keepdims: { int: 0 } };
  addNode(graph, { op: 'ReduceMax', inputs: ['zeros'], outputs: ['y'], attributes });
  return writeModel({ graph, ...rest });
}

/** `sizes`, two of them, to a matrix of zeros that has them: answers as large as the caller likes. */
export function aZerosModel(): Uint8Array {
  const { graph, ...rest } = newModel({
    name: 'zeros',
    inputs: [{ name: 'sizes', dtype: 'INT64', shape: [2] }],
    outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, -1] }],
  });
  addNode(graph, { op: 'ConstantOfShape', inputs: ['sizes'], outputs: ['y'] });
  return writeModel({ graph, ...rest });
}

/** `x` FP32 [N, 4] to its mean plus nothing, after this many products of matrices that the input makes: runs that take long. */
export function aSlowModel(products: number): Uint8Array {
  const { graph, ...rest } = newModel({
    name: 'slow',
    inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 4] }],
    outputs: [{ name: 'y', dtype: 'FP32', shape: [] }],
  });
  const attributes = { keepdims: { int: 0 } };
  const data = new Uint8Array(BigInt64Array.of(1_024n, 1_024n).buffer);
  addInitialiser(graph, { name: 'sizes', dtype: 'INT64', shape: [2], data });
  addNode(graph, { op: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes });
  addNode(graph, { op: 'Expand', inputs: ['mean', 'sizes'], outputs: ['m0'] });
  for (let at = 0; at < products; at += 1)
    addNode(graph, { op: 'MatMul', inputs: [`m${at}`, 'm0'], outputs: [`m${at + 1}`] });
  addNode(graph, { op: 'ReduceMin', inputs: [`m${products}`], outputs: ['y'], attributes });
  return writeModel({ graph, ...rest });
}

/** Square matrices of this size are multiplied when the model is loaded. */
const SLOW_SIZE = 2_048;

/** As the identity model of FP32, but it takes long to load: the runtime multiplies so many constant matrices first. */
export function aSlowLoadingModel(products: number): Uint8Array {
  const spec = { dtype: 'FP32', shape: [-1, 2] } as const;
  const { graph, ...rest } = newModel({
    name: 'slow to load',
    inputs: [{ name: 'x', ...spec }],
    outputs: [{ name: 'y', ...spec }],
  });
  const sizes = BigInt64Array.of(BigInt(SLOW_SIZE), BigInt(SLOW_SIZE));
  const data = new Uint8Array(sizes.buffer);
  addInitialiser(graph, { name: 'sizes', dtype: 'INT64', shape: [2], data });
  addNode(graph, { op: 'ConstantOfShape', inputs: ['sizes'], outputs: ['m0'] });
  for (let at = 0; at < products; at += 1)
    addNode(graph, { op: 'MatMul', inputs: [`m${at}`, `m${at}`], outputs: [`m${at + 1}`] });
  const attributes = { keepdims: { int: 0 } };
  addNode(graph, { op: 'ReduceMax', inputs: [`m${products}`], outputs: ['zero'], attributes });
  addNode(graph, { op: 'Add', inputs: ['x', 'zero'], outputs: ['y'] });
  return writeModel({ graph, ...rest });
}
