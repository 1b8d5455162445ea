/** Models whose rows do not depend on each other: the architectures that are served most, and single operators. */
import { REDUCTIONS } from './mixed-plans.ts';
import { axes, axis, type Inner, one, type Plan, perm, some } from './row-model.ts';

const withinRows = (op: string): Plan => ({
  steps: [
    [op, 'x', 'r', axes(-1)],
    ['Sub', 'x r', 'y'],
  ],
});

const HIDDEN = { hidden_size: { int: 4 } };

const single: Readonly<Record<string, Plan>> = {
  ...Object.fromEntries(REDUCTIONS.map((op) => [`${op} within rows`, withinRows(op)] as const)),
  convolution: { ...one('Conv', 'x conv', 'y'), input: [-1, 4, 8], output: [-1, 4, 6] },
  'batch norm': one('BatchNormalization', 'x ones w4 w4 ones', 'y'),
  'layer norm': one('LayerNormalization', 'x ones', 'y', axis(-1)),
  'softmax within rows': one('Softmax', 'x', 'y', axis(-1)),
  'old softmax from axis 1': { ...one('Softmax', 'x', 'y'), opset: 11 },
  'cumulative sum within rows': one('CumSum', 'x one', 'y'),
  'best within rows': { ...one('TopK', 'x one', 'y i', axis(-1)), output: [-1, 1] },
  'class of a row': {
    ...one('ArgMax', 'x', 'y', { axis: { int: -1 }, keepdims: { int: 0 } }),
    output: [-1],
    gives: 'INT64',
  },
  'all of the rows': one('Slice', 'x zero billion zero', 'y'),
  'all of the rows, by an old exporter': {
    ...one('Slice', 'x', 'y', {
      axes: { ints: [0, 1] },
      starts: { ints: [0, 1] },
      ends: { ints: ['9223372036854775807', '9223372036854775807'] },
    }),
    opset: 9,
    output: [-1, 3],
  },
  'part of each row': { ...one('Slice', 'x one end one', 'y'), output: [-1, 3] },
  'weights made ready': {
    steps: [
      ['Softmax', 'w44', 'w', axis(0)],
      ['MatMul', 'x w', 'y'],
    ],
  },
  'a scaler': one(
    ...(['Scaler', 'x', 'y', { offset: { floats: [0] }, scale: { floats: [2] } }] as const),
    'ai.onnx.ml',
  ),
  'fused activation': one('Gelu', 'x', 'y', {}, 'com.microsoft'),
  'padded rows': { ...one('Pad', 'x padWide', 'y'), output: [-1, 6] },
  'rows twice as wide': { ...one('Tile', 'x twiceWide', 'y'), output: [-1, 8] },
  'sizes of the input': {
    steps: [
      ['Shape', 'x', 's'],
      ['Gather', 's zero', 'n'],
      ['Concat', 'n minus1', 'to', axis(0)],
      ['Reshape', 'x to', 'y'],
    ],
  },
};

const dense: Readonly<Record<string, Plan>> = {
  'layers of neurons': {
    steps: [
      ['Gemm', 'x w48', 'h'],
      ['Relu', 'h', 'r'],
      ['MatMul', 'r w84', 'y'],
    ],
  },
  'two inputs': {
    steps: [
      ['MatMul', 'x w44', 'a'],
      ['Mul', 'a z', 'b'],
      ['Concat', 'b z', 'y', axis(-1)],
    ],
    more: [some('z', [-1, 4])],
    output: [-1, 8],
  },
  'static int8': {
    steps: [
      ['QuantizeLinear', 'x fiftieth q128', 'q'],
      ['QLinearMatMul', 'q fiftieth q128 q44 fiftieth q128 fiftieth q128', 'p'],
      ['DequantizeLinear', 'p fiftieth q128', 'y'],
    ],
  },
  'a tree ensemble': {
    steps: [
      [
        ...(['TreeEnsembleRegressor', 'x', 'y'] as const),
        {
          n_targets: { int: 1 },
          nodes_treeids: { ints: [0, 0, 0, 0, 0] },
          nodes_nodeids: { ints: [0, 1, 2, 3, 4] },
          nodes_featureids: { ints: [0, 2, 0, 0, 0] },
          nodes_values: { floats: [0.1, -0.2, 0, 0, 0] },
          nodes_modes: { texts: ['BRANCH_LEQ', 'BRANCH_LEQ', 'LEAF', 'LEAF', 'LEAF'] },
          nodes_truenodeids: { ints: [1, 3, 0, 0, 0] },
          nodes_falsenodeids: { ints: [2, 4, 0, 0, 0] },
          target_treeids: { ints: [0, 0, 0] },
          target_nodeids: { ints: [2, 3, 4] },
          target_ids: { ints: [0, 0, 0] },
          target_weights: { floats: [1.5, -2, 0.25] },
        },
        'ai.onnx.ml',
      ],
    ],
    output: [-1, 1],
  },
};

const pictures: Readonly<Record<string, Plan>> = {
  'a residual network': {
    steps: [
      ['Conv', 'x conv2d', 'a', { pads: { ints: [1, 1, 1, 1] } }],
      ['BatchNormalization', 'a w3 w3 w3 w3', 'b'],
      ['Relu', 'b', 'c'],
      ['Conv', 'c conv2b', 'd', { pads: { ints: [1, 1, 1, 1] } }],
      ['Add', 'c d', 'e'],
      ['MaxPool', 'e', 'f', { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } }],
      ['GlobalAveragePool', 'f', 'g'],
      ['Flatten', 'g', 'h'],
      ['Gemm', 'h w34', 'i'],
      ['Softmax', 'i', 'y', axis(-1)],
    ],
    input: [-1, 2, 6, 6],
    output: [-1, 4],
  },
  'a mobile network, any size': {
    steps: [
      ['Conv', 'x depthwise', 'a', { group: { int: 2 }, pads: { ints: [1, 1, 1, 1] } }],
      ['Clip', 'a nil three', 'b'],
      ['ConvTranspose', 'b upwards', 'c', { strides: { ints: [2, 2] } }],
      ['InstanceNormalization', 'c w3 w3', 'd'],
      ['Resize', 'd - scales', 'e', { mode: { text: 'nearest' } }],
      ['ReduceMean', 'e', 'y', { axes: { ints: [2, 3] }, keepdims: { int: 0 } }],
    ],
    input: [-1, 2, -1, -1],
    output: [-1, 3],
  },
};

const sequences: Readonly<Record<string, Plan>> = {
  'LSTM between transpositions': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0, 2)],
      ['LSTM', 't lstmW lstmR', 's', HIDDEN],
      ['Squeeze', 's one', 'q'],
      ['Transpose', 'q', 'y', perm(1, 0, 2)],
    ],
    input: [-1, -1, 4],
  },
  'the last state of a GRU': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0, 2)],
      ['GRU', 't gruW gruR', '- h', HIDDEN],
      ['Squeeze', 'h zero', 'q'],
      ['MatMul', 'q w42', 'y'],
    ],
    input: [-1, -1, 4],
    output: [-1, 2],
  },
  'attention within rows': {
    steps: [
      ['Reshape', 'x toHeads', 'h'],
      ['Transpose', 'h', 'q', perm(0, 2, 1, 3)],
      ['Transpose', 'h', 'k', perm(0, 2, 3, 1)],
      ['MatMul', 'q k', 's'],
      ['Softmax', 's', 'a', axis(-1)],
      ['MatMul', 'a q', 'v'],
      ['Transpose', 'v', 'y', perm(0, 2, 1, 3)],
    ],
    input: [-1, 3, 4],
    output: [-1, 3, 2, 2],
  },
  'a text encoder': {
    steps: [
      ['Gather', 'table x', 'e'],
      ['Cast', 'mask', 'm', { to: { int: 1 } }],
      ['Sub', 'm half', 'c'],
      ['Mul', 'c hundred', 'b'],
      ['Unsqueeze', 'b one', 'b2'],
      ['Unsqueeze', 'b2 one', 'b3'],
      ['Reshape', 'e toHeads', 'h'],
      ['Transpose', 'h', 'q', perm(0, 2, 1, 3)],
      ['Transpose', 'h', 'k', perm(0, 2, 3, 1)],
      ['MatMul', 'q k', 's'],
      ['Add', 's b3', 'masked'],
      ['Softmax', 'masked', 'a', axis(-1)],
      ['MatMul', 'a q', 'v'],
      ['Transpose', 'v', 'o', perm(0, 2, 1, 3)],
      ['Reshape', 'o toWide4', 'flat'],
      ['Add', 'flat e', 'r'],
      ['LayerNormalization', 'r ones', 'n', axis(-1)],
      ['Gather', 'n zeroth', 'cls', axis(1)],
      ['Tanh', 'cls', 'y'],
    ],
    input: [-1, -1],
    takes: 'INT64',
    below: 10,
    more: [some('mask', [-1, -1], 'INT64')],
    output: [-1, 4],
    gives: 'FP32',
  },
  'fused attention': {
    ...one('Attention', 'x attend attendB', 'y', { num_heads: { int: 2 } }, 'com.microsoft'),
    input: [-1, 3, 4],
  },
  'products of each row by Einsum': {
    ...one('Einsum', 'x x', 'y', { equation: { text: 'nij,nkj->nik' } }),
    input: [-1, 3, 4],
    output: [-1, 3, 3],
  },
};

const KEPT: Inner = { steps: [['Identity', 'x', 'k']], outputs: [some('k', [-1, 4])] };
const DOUBLED: Inner = { steps: [['Add', 'x x', 'd']], outputs: [some('d', [-1, 4])] };

const nested: Readonly<Record<string, Plan>> = {
  'a branch that is fixed': one('If', 'yes', 'y', {
    then_branch: { graph: DOUBLED },
    else_branch: { graph: KEPT },
  }),
  'a function within a function': {
    steps: [['outer', 'x w44', 'y', {}, 'local']],
    locals: [
      {
        ...{ name: 'inner', inputs: 'a w', outputs: 'b' },
        steps: [['MatMul', 'a w', 'b']],
      },
      {
        ...{ name: 'outer', inputs: 'a w', outputs: 'c' },
        steps: [
          ['inner', 'a w', 'b', {}, 'local'],
          ['Softmax', 'b', 'c', axis(-1)],
        ],
      },
    ],
  },
};

/** By name. */
export const APART: Readonly<Record<string, Plan>> = {
  ...single,
  ...dense,
  ...pictures,
  ...sequences,
  ...nested,
};
