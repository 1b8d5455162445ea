import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Dtype, TensorSpec } from '../../src/core/tensor.ts';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';

/** The datatypes that a model of the runtime can take and give. */
const SERVED = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const satisfies readonly Dtype[];

/** Gives its input back: any number of rows and columns. */
export function identityModel(dtype: Dtype, columns = -1): Uint8Array {
  const shape = [-1, columns];
  const model = newModel({
    name: 'identity',
    inputs: [{ name: 'x', dtype, shape }],
    outputs: [{ name: 'y', dtype, shape }],
  });
  addNode(model.graph, { op: 'Identity', inputs: ['x'], outputs: ['y'] });
  return writeModel(model);
}

/** The model of Triton's quick start: the sum and the difference of two rows of sixteen whole numbers. */
function simpleModel(): Uint8Array {
  const row = (name: string): TensorSpec => ({ name, dtype: 'INT32', shape: [-1, 16] });
  const model = newModel({
    name: 'simple',
    inputs: [row('INPUT0'), row('INPUT1')],
    outputs: [row('OUTPUT0'), row('OUTPUT1')],
  });
  const inputs = ['INPUT0', 'INPUT1'];
  addNode(model.graph, { op: 'Add', inputs, outputs: ['OUTPUT0'] });
  addNode(model.graph, { op: 'Sub', inputs, outputs: ['OUTPUT1'] });
  return writeModel(model);
}

/** As people write it for Triton; ours takes it as it is. */
const SIMPLE_CONFIG = `name: "simple"
platform: "onnxruntime_onnx"
max_batch_size: 8
input [
  { name: "INPUT0" data_type: TYPE_INT32 dims: [ 16 ] },
  { name: "INPUT1" data_type: TYPE_INT32 dims: [ 16 ] }
]
output [
  { name: "OUTPUT0" data_type: TYPE_INT32 dims: [ 16 ] },
  { name: "OUTPUT1" data_type: TYPE_INT32 dims: [ 16 ] }
]
`;

const CLASSES_CONFIG = `backend: "onnxruntime"
max_batch_size: 4
output [ { name: "y" data_type: TYPE_FP32 dims: [ 3 ] label_filename: "labels.txt" } ]
`;

/** The mean of each channel, in the shapes of the quick start's densenet. */
function densenetModel(): Uint8Array {
  const model = newModel({
    name: 'densenet_onnx',
    inputs: [{ name: 'data_0', dtype: 'FP32', shape: [1, 3, 2, 2] }],
    outputs: [{ name: 'fc6_1', dtype: 'FP32', shape: [1, 3, 1, 1] }],
  });
  addNode(model.graph, { op: 'GlobalAveragePool', inputs: ['data_0'], outputs: ['fc6_1'] });
  return writeModel(model);
}

const DENSENET_CONFIG = `name: "densenet_onnx"
platform: "onnxruntime_onnx"
max_batch_size : 0
input [
  {
    name: "data_0"
    data_type: TYPE_FP32
    format: FORMAT_NCHW
    dims: [ 3, 2, 2 ]
    reshape { shape: [ 1, 3, 2, 2 ] }
  }
]
output [
  {
    name: "fc6_1"
    data_type: TYPE_FP32
    dims: [ 3 ]
    reshape { shape: [ 1, 3, 1, 1 ] }
    label_filename: "densenet_labels.txt"
  }
]
`;

/** y = x * factor; factor is 2 where a request leaves it out. */
function scalingModel(): Uint8Array {
  const row: Omit<TensorSpec, 'name'> = { dtype: 'FP32', shape: [-1, 2] };
  const model = newModel({
    name: 'scaling',
    inputs: [
      { name: 'x', ...row },
      { name: 'factor', dtype: 'FP32', shape: [1] },
    ],
    outputs: [{ name: 'y', ...row }],
  });
  addInitialiser(model.graph, floats('factor', [1], [2]));
  addNode(model.graph, { op: 'Mul', inputs: ['x', 'factor'], outputs: ['y'] });
  return writeModel(model);
}

/** Writes a repository, laid out as for Triton, of the models that the clients ask. */
export async function writeRepository(root: string): Promise<void> {
  const files: Record<string, string | Uint8Array> = {
    'simple/config.pbtxt': SIMPLE_CONFIG,
    'simple/1/model.onnx': simpleModel(),
    'spare/1/model.onnx': identityModel('FP32'),
    'classes/config.pbtxt': CLASSES_CONFIG,
    'classes/labels.txt': 'cat\ndog\nfish\n',
    'classes/1/model.onnx': identityModel('FP32', 3),
    'densenet_onnx/config.pbtxt': DENSENET_CONFIG,
    'densenet_onnx/densenet_labels.txt': 'cat\ndog\nfish\n',
    'densenet_onnx/1/model.onnx': densenetModel(),
    'scaling/1/model.onnx': scalingModel(),
  };
  for (const dtype of SERVED) {
    files[`identity_${dtype.toLowerCase()}/1/model.onnx`] = identityModel(dtype);
  }
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
