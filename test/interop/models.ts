import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Dtype, TensorSpec } from '../../src/core/tensor.ts';
import { addNode, newModel, writeModel } from '../../src/repository/onnx-writer.ts';

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

/** Writes a repository, laid out as for Triton, of the models that the clients ask. */
export async function writeRepository(root: string): Promise<void> {
  const files: Record<string, string | Uint8Array> = {
    'simple/config.pbtxt': SIMPLE_CONFIG,
    'simple/1/model.onnx': simpleModel(),
    'spare/1/model.onnx': identityModel('FP32'),
    'classes/config.pbtxt': CLASSES_CONFIG,
    'classes/labels.txt': 'cat\ndog\nfish\n',
    'classes/1/model.onnx': identityModel('FP32', 3),
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
