/**
 * The kit's own models: tiny, and with answers that can be computed by hand. Any server that runs ONNX can be started on them:
 * they are laid out as `<model>/config.pbtxt` and `<model>/<version>/model.onnx`, which Triton, OVMS and Understudy read as it is.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Dtype, TensorSpec } from '../../src/core/tensor.ts';
import {
  addInitialiser,
  addNode,
  floats,
  type NodeOptions,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';
import { IDENTITY_DATATYPES, identityModel, LABELS, MODEL, ROWS_MAX } from './model-names.ts';
import type { Datatype } from './wire/datatype.ts';

/** A model of the kit, as files under the repository's folder. */
type KitModel = {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
};

type Signature = {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
};

/** The most rows that a batchable model of the kit takes; 0: its first dimension is no batch. */
type Batching = { readonly rowsMax: number };

/** Writes all models of the kit under a folder. Returns their names. */
export async function writeModels(folder: string): Promise<readonly string[]> {
  for (const { name, files } of MODELS) {
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder, name, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
  return MODELS.map(({ name }) => name);
}

/** The model that a case sends along with the call that loads it. */
export function loadableOnnx(): Uint8Array {
  return onnxOf(MODEL.loadable, oneToOne('FP32', [2], [2]), { nodes: [NEGATE] });
}

const NEGATE: NodeOptions = { op: 'Neg', inputs: ['INPUT0'], outputs: ['OUTPUT0'] };
const batched: Batching = { rowsMax: ROWS_MAX };
const unbatched: Batching = { rowsMax: 0 };

const MODELS: readonly KitModel[] = [
  ...IDENTITY_DATATYPES.map((datatype) => {
    const signature = {
      inputs: [spec('INPUT0', datatype, [-1, -1])],
      outputs: [spec('OUTPUT0', datatype, [-1, -1])],
    };
    const node = { op: 'Identity', inputs: ['INPUT0'], outputs: ['OUTPUT0'] };
    return model(identityModel(datatype), signature, { nodes: [node], ...batched });
  }),
  model(MODEL.addSub, twoToTwo('INT32', [-1, 16]), { nodes: addAndSubtract(), ...batched }),
  model(MODEL.fixed, oneToOne('FP32', [2, 3], [3, 2]), {
    nodes: [{ op: 'Transpose', inputs: ['INPUT0'], outputs: ['OUTPUT0'] }],
    ...unbatched,
  }),
  model(MODEL.dynamic, oneToOne('FP32', [2, -1, -1], [2, -1, -1]), {
    nodes: [
      {
        op: 'Transpose',
        inputs: ['INPUT0'],
        outputs: ['OUTPUT0'],
        attributes: { perm: { ints: [0, 2, 1] } },
      },
    ],
    ...unbatched,
  }),
  scalarModel(),
  severalModel(),
  model(
    MODEL.join,
    {
      inputs: [spec('INPUT0', 'BYTES', [-1, -1]), spec('INPUT1', 'BYTES', [-1, -1])],
      outputs: [spec('OUTPUT0', 'BYTES', [-1, -1])],
    },
    {
      nodes: [
        {
          op: 'Concat',
          inputs: ['INPUT0', 'INPUT1'],
          outputs: ['OUTPUT0'],
          attributes: { axis: { int: 1 } },
        },
      ],
      ...batched,
    },
  ),
  reshapeModel(),
  labelsModel(),
  versionsModel(),
  model(MODEL.loadable, oneToOne('FP32', [2], [2]), { nodes: [NEGATE], ...unbatched }),
];

function addAndSubtract(): readonly NodeOptions[] {
  const inputs = ['INPUT0', 'INPUT1'];
  return [
    { op: 'Add', inputs, outputs: ['OUTPUT0'] },
    { op: 'Sub', inputs, outputs: ['OUTPUT1'] },
  ];
}

/** No dimensions at all, and no config.pbtxt, in which a scalar cannot be written down. */
function scalarModel(): KitModel {
  const built = model(MODEL.scalar, oneToOne('FP32', [], []), { nodes: [NEGATE], ...unbatched });
  const { 'config.pbtxt': _, ...files } = built.files;
  return { name: built.name, files };
}

/** One input, four outputs of four datatypes. */
function severalModel(): KitModel {
  const signature = {
    inputs: [spec('INPUT0', 'FP32', [-1, 4])],
    outputs: [
      spec('COPY', 'FP32', [-1, 4]),
      spec('WHOLE', 'INT64', [-1, 4]),
      spec('POSITIVE', 'BOOL', [-1, 4]),
      spec('TOTAL', 'FP32', [-1, 1]),
    ],
  };
  const inputs = ['INPUT0'];
  return model(MODEL.several, signature, {
    nodes: [
      { op: 'Identity', inputs, outputs: ['COPY'] },
      // 7 is INT64 in the format's list of element types.
      { op: 'Cast', inputs, outputs: ['WHOLE'], attributes: { to: { int: 7 } } },
      { op: 'Greater', inputs: ['INPUT0', 'zero'], outputs: ['POSITIVE'] },
      {
        op: 'ReduceMean',
        inputs,
        outputs: ['mean'],
        attributes: { axes: { ints: [1] }, keepdims: { int: 1 } },
      },
      { op: 'Mul', inputs: ['mean', 'four'], outputs: ['TOTAL'] },
    ],
    constants: { zero: 0, four: 4 },
    ...batched,
  });
}

/** Fails while it runs where the wanted shape does not hold the elements: nothing in its signature forbids that. */
function reshapeModel(): KitModel {
  const signature = {
    inputs: [spec('DATA', 'FP32', [6]), spec('SHAPE', 'INT64', [2])],
    outputs: [spec('OUTPUT0', 'FP32', [-1, -1])],
  };
  return model(MODEL.reshape, signature, {
    nodes: [{ op: 'Reshape', inputs: ['DATA', 'SHAPE'], outputs: ['OUTPUT0'] }],
    ...unbatched,
  });
}

/** Class scores with labels: an identity, so that a case chooses the scores. */
function labelsModel(): KitModel {
  const built = model(MODEL.labels, oneToOne('FP32', [-1, 3], [-1, 3]), {
    nodes: [{ op: 'Identity', inputs: ['INPUT0'], outputs: ['OUTPUT0'] }],
    labels: 'labels.txt',
    ...batched,
  });
  return { name: built.name, files: { ...built.files, 'labels.txt': `${LABELS.join('\n')}\n` } };
}

/** Two versions that can be distinguished: version n adds n. */
function versionsModel(): KitModel {
  const signature = oneToOne('FP32', [2], [2]);
  const build = (version: number) =>
    onnxOf(MODEL.versions, signature, {
      nodes: [{ op: 'Add', inputs: ['INPUT0', 'number'], outputs: ['OUTPUT0'] }],
      constants: { number: version },
    });
  return {
    name: MODEL.versions,
    files: {
      'config.pbtxt': `${configOf(MODEL.versions, signature, unbatched)}version_policy { all { } }\n`,
      '1/model.onnx': build(1),
      '2/model.onnx': build(2),
    },
  };
}

type Build = {
  readonly nodes: readonly NodeOptions[];
  /** Scalars that nodes read. */
  readonly constants?: Readonly<Record<string, number>>;
};

type ModelOptions = Build & Batching & { readonly labels?: string };

function model(name: string, signature: Signature, options: ModelOptions): KitModel {
  return {
    name,
    files: {
      'config.pbtxt': configOf(name, signature, options),
      '1/model.onnx': onnxOf(name, signature, options),
    },
  };
}

function onnxOf(name: string, signature: Signature, { nodes, constants = {} }: Build): Uint8Array {
  const built = newModel({ name, ...signature });
  for (const [constant, value] of Object.entries(constants)) {
    addInitialiser(built.graph, floats(constant, [1], [value]));
  }
  for (const node of nodes) addNode(built.graph, node);
  return writeModel(built);
}

type ConfigOptions = Batching & { readonly labels?: string };

/** `config.pbtxt`: a batchable model's dimensions are written without the batch. */
function configOf(
  name: string,
  { inputs, outputs }: Signature,
  { rowsMax, labels }: ConfigOptions,
): string {
  const tensors = (list: readonly TensorSpec[], more = '') =>
    list
      .map(({ name: tensor, dtype, shape }) => {
        const dims = rowsMax > 0 ? shape.slice(1) : shape;
        const type = dtype === 'BYTES' ? 'STRING' : dtype;
        return `  { name: "${tensor}" data_type: TYPE_${type} dims: [ ${dims.join(', ')} ]${more} }`;
      })
      .join(',\n');
  const label = labels === undefined ? '' : ` label_filename: "${labels}"`;
  return `name: "${name}"
platform: "onnxruntime_onnx"
max_batch_size: ${rowsMax}
input [
${tensors(inputs)}
]
output [
${tensors(outputs, label)}
]
`;
}

function spec(name: string, dtype: Datatype & Dtype, shape: readonly number[]): TensorSpec {
  return { name, dtype, shape };
}

function oneToOne(
  dtype: Datatype,
  shape: readonly number[],
  shapeOut: readonly number[],
): Signature {
  return { inputs: [spec('INPUT0', dtype, shape)], outputs: [spec('OUTPUT0', dtype, shapeOut)] };
}

function twoToTwo(dtype: Datatype, shape: readonly number[]): Signature {
  return {
    inputs: [spec('INPUT0', dtype, shape), spec('INPUT1', dtype, shape)],
    outputs: [spec('OUTPUT0', dtype, shape), spec('OUTPUT1', dtype, shape)],
  };
}
