/** Builds of one small model that do wrong what a candidate can: all of them promise the same outputs. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  wholeNumber,
  writeModel,
} from '../../src/repository/onnx-writer.ts';

type Graph = ReturnType<typeof newModel>['graph'];

/** What stands in every request, and what every build that is right answers. */
export const INPUT = [1, 2, 3, 4] as const;
export const ANSWER = [2, 4, 6, 8] as const;

/** Elements of each side of the matrices that take their time. */
const SIDE = 3_072;

/** What the builds do, by version. 1 is stable. */
export const VERSIONS = {
  '1': right,
  '2': right,
  '3': slow,
  '4': scalar,
  '5': doubled,
} as const satisfies Record<string, (graph: Graph) => void>;

/** The version that is slower than any deadline here. */
export const SLOW = '3';

export type Version = keyof typeof VERSIONS;

/** Writes all builds below a repository's folder. */
export async function writeBuilds(repository: string, model: string): Promise<void> {
  for (const [version, build] of Object.entries(VERSIONS)) {
    const folder = join(repository, model, version);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'model.onnx'), modelOf(build));
  }
}

function modelOf(build: (graph: Graph) => void): Uint8Array {
  const spec = { dtype: 'FP32', shape: [-1, INPUT.length] } as const;
  const model = newModel({
    name: 'faults',
    inputs: [{ name: 'x', ...spec }],
    outputs: [{ name: 'y', ...spec }],
  });
  addInitialiser(model.graph, floats('two', [1], [2]));
  build(model.graph);
  return writeModel(model);
}

function right(graph: Graph): void {
  addNode(graph, { op: 'Mul', inputs: ['x', 'two'], outputs: ['y'] });
}

/** Right in the end: a product of large matrices that the input makes, three times, times zero. */
function slow(graph: Graph): void {
  addInitialiser(graph, floats('zero', [1], [0]));
  addInitialiser(graph, wholeNumber('side', BigInt(SIDE)));
  addNode(graph, { op: 'Mul', inputs: ['x', 'two'], outputs: ['doubled'] });
  addNode(graph, { op: 'ReduceMean', inputs: ['doubled'], outputs: ['mean'] });
  addNode(graph, {
    op: 'Concat',
    inputs: ['side', 'side'],
    outputs: ['sides'],
    attributes: { axis: { int: 0 } },
  });
  addNode(graph, { op: 'Expand', inputs: ['mean', 'sides'], outputs: ['m0'] });
  for (const at of [0, 1, 2])
    addNode(graph, { op: 'MatMul', inputs: [`m${at}`, 'm0'], outputs: [`m${at + 1}`] });
  addNode(graph, { op: 'ReduceMean', inputs: ['m3'], outputs: ['large'] });
  addNode(graph, { op: 'Mul', inputs: ['large', 'zero'], outputs: ['nothing'] });
  addNode(graph, { op: 'Add', inputs: ['doubled', 'nothing'], outputs: ['y'] });
}

/** One number without a dimension, however many rows there were. */
function scalar(graph: Graph): void {
  addNode(graph, { op: 'ReduceMean', inputs: ['x'], outputs: ['mean'] });
  addNode(graph, { op: 'Squeeze', inputs: ['mean'], outputs: ['y'] });
}

/** Each row twice. */
function doubled(graph: Graph): void {
  addNode(graph, { op: 'Mul', inputs: ['x', 'two'], outputs: ['once'] });
  addNode(graph, {
    op: 'Concat',
    inputs: ['once', 'once'],
    outputs: ['y'],
    attributes: { axis: { int: 0 } },
  });
}
