import type { Tensor, TensorSpec } from '../../../src/core/tensor.ts';
import type { OnnxDimension } from '../../../src/repository/onnx-schema.ts';
import {
  type AttributeValue,
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../../src/repository/onnx-writer.ts';

/** A small model whose rows are known to be apart, or known to meet. */
export type RowModel = {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What its inputs are; a leading dimension of -1 is the rows. */
  readonly inputs: readonly TensorSpec[];
  /** What its file alone tells. */
  readonly expected: 'apart' | 'mixed';
};

type Step = readonly [
  op: string,
  inputs: string,
  outputs: string,
  attributes?: Readonly<Record<string, AttributeValue>>,
  domain?: string,
];

type Plan = {
  readonly steps: readonly Step[];
  readonly input?: readonly number[];
  readonly output?: readonly number[];
  /** The output's own symbol in front. */
  readonly symbol?: string;
  readonly opset?: number;
};

const axis = (int: number) => ({ axis: { int } });
const axes = (...list: readonly number[]) => ({ axes: { ints: list }, keepdims: { int: 1 } });
const perm = (...list: readonly number[]) => ({ perm: { ints: list } });

/** An int64 list. */
function wholes(name: string, values: readonly number[]): Tensor {
  const data = new BigInt64Array(values.map(BigInt));
  return { name, dtype: 'INT64', shape: [values.length], data: new Uint8Array(data.buffer) };
}

const scatter = (count: number) => Array.from({ length: count }, (_, at) => Math.sin(at * 7 + 1));

/** What plans may use: each model gets those that it names. */
const WEIGHTS: readonly Tensor[] = [
  floats('w44', [4, 4], scatter(16)),
  floats('w4', [4], scatter(4)),
  floats('ones', [4], [1, 1, 1, 1]),
  floats('half', [], [0.5]),
  floats('conv', [4, 4, 3], scatter(48)),
  floats('lstmW', [1, 16, 4], scatter(64)),
  floats('lstmR', [1, 16, 4], scatter(64)),
  wholes('zero', [0]),
  wholes('one', [1]),
  wholes('minus1', [-1]),
  wholes('end', [2 ** 53]),
  wholes('billion', [1_000_000_000]),
  wholes('toRows', [-1, 4]),
  wholes('toHeads', [0, -1, 2, 2]),
];

function aRowModel(name: string, expected: 'apart' | 'mixed', plan: Plan): RowModel {
  const { input = [-1, 4], output = input } = plan;
  const inputs = [{ name: 'x', dtype: 'FP32', shape: input }] as const;
  const model = newModel({ name, inputs, outputs: [{ name: 'y', dtype: 'FP32', shape: output }] });
  const used = new Set(plan.steps.flatMap(([, from]) => from.split(' ')));
  for (const weight of WEIGHTS) if (used.has(weight.name)) addInitialiser(model.graph, weight);
  for (const [op, from, to, attributes = {}, domain] of plan.steps) {
    const names = { inputs: from.split(' ').map(orNone), outputs: to.split(' ').map(orNone) };
    addNode(model.graph, { op, ...names, name: op.toLowerCase(), attributes });
    const node = model.graph.node.at(-1);
    if (domain !== undefined && node) node.domain = domain;
  }
  const leading: OnnxDimension | undefined =
    model.graph.output[0]?.type?.tensor_type?.shape?.dim?.[0];
  if (leading && plan.symbol !== undefined) leading.dim_param = plan.symbol;
  model.opset_import = [
    { domain: '', version: plan.opset ?? 17 },
    ...['com.microsoft', 'ai.onnx.ml'].map((domain) => ({ domain, version: 1 })),
  ];
  return { name, bytes: writeModel(model), inputs, expected };
}

/** `-` stands for an input or output that is left out. */
function orNone(name: string): string {
  return name === '-' ? '' : name;
}

const REDUCTIONS = [
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean'],
  ...['ReduceMin', 'ReduceProd', 'ReduceSumSquare'],
];

/** Reduced over rows, and brought back to the shape of the input. */
const overRows = (op: string): Plan => ({
  steps: [
    [op, 'x', 'r', axes(0)],
    ['Sub', 'x r', 'y'],
  ],
});

const withinRows = (op: string): Plan => ({
  steps: [
    [op, 'x', 'r', axes(-1)],
    ['Sub', 'x r', 'y'],
  ],
});

const one = (...step: Step): Plan => ({ steps: [step] });

const MIXED: Readonly<Record<string, Plan>> = {
  ...Object.fromEntries(REDUCTIONS.map((op) => [`${op} over rows`, overRows(op)])),
  'sum over rows': {
    steps: [
      ['ReduceSum', 'x zero', 'r'],
      ['Sub', 'x r', 'y'],
    ],
  },
  'mean over all axes': {
    steps: [
      ['ReduceMean', 'x', 'r'],
      ['Sub', 'x r', 'y'],
    ],
  },
  'axis from the back': {
    steps: [
      ['ReduceMax', 'x', 'r', axes(-2)],
      ['Sub', 'x r', 'y'],
    ],
  },
  'softmax over rows': one('Softmax', 'x', 'y', axis(0)),
  'log softmax over rows': one('LogSoftmax', 'x', 'y', axis(-2)),
  'hardmax over rows': one('Hardmax', 'x', 'y', axis(0)),
  'old softmax from axis 0': { ...one('Softmax', 'x', 'y', axis(0)), opset: 11 },
  'cumulative sum': one('CumSum', 'x zero', 'y'),
  'sorted rows': one('TopK', 'x one', 'y -', axis(0)),
  'norm over rows': one('LpNormalization', 'x', 'y', axis(0)),
  'layer norm over all': one('LayerNormalization', 'x ones', 'y', axis(0)),
  'mean and variance': { ...one('MeanVarianceNormalization', 'x', 'y'), input: [-1, 2, 2, 2] },
  'batch norm in training': one('BatchNormalization', 'x ones w4 w4 ones', 'y - -', {
    training_mode: { int: 1 },
  }),
  'sequence first': {
    ...one('LSTM', 'x lstmW lstmR', 'y', { hidden_size: { int: 4 } }),
    input: [-1, 2, 4],
    output: [-1, 1, 2, 4],
  },
  'Gram matrix': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0)],
      ['MatMul', 't x', 'g'],
      ['MatMul', 'x g', 'y'],
    ],
  },
  'attention across rows': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0)],
      ['MatMul', 'x t', 's'],
      ['Softmax', 's', 'a', axis(-1)],
      ['MatMul', 'a x', 'y'],
    ],
  },
  'contracted by Gemm': {
    steps: [
      ['Gemm', 'x x', 'g', { transA: { int: 1 } }],
      ['MatMul', 'x g', 'y'],
    ],
  },
  'added up by Einsum': {
    steps: [
      ['Einsum', 'x x', 'g', { equation: { text: 'ni,nj->ij' } }],
      ['MatMul', 'x g', 'y'],
    ],
  },
  'dynamic int8': {
    steps: [
      ['DynamicQuantizeLinear', 'x', 'q s z'],
      ['DequantizeLinear', 'q s z', 'd'],
      ['MatMul', 'd w44', 'y'],
    ],
  },
  'fused dynamic int8': one('DynamicQuantizeMatMul', 'x w44 half', 'y', {}, 'com.microsoft'),
  'choice by a global maximum': {
    steps: [
      ['ReduceMax', 'x', 'm'],
      ['Greater', 'm half', 'c'],
      ['Neg', 'x', 'n'],
      ['Where', 'c n x', 'y'],
    ],
  },
  'found elements': {
    steps: [
      ['NonZero', 'x', 'f'],
      ['Transpose', 'f', 't'],
      ['Cast', 't', 'y', { to: { int: 1 } }],
    ],
    output: [-1, 2],
  },
  'unique rows': one('Unique', 'x', 'y', axis(0)),
  'detector boxes': { ...one('Identity', 'x', 'y'), symbol: 'num_boxes' },
  'reversed rows': {
    ...one('ReverseSequence', 'x one', 'y', { time_axis: { int: 0 }, batch_axis: { int: 1 } }),
    input: [-1, 1],
  },
  'rolled rows': {
    steps: [
      ['Slice', 'x one end zero', 'a'],
      ['Slice', 'x zero one zero', 'b'],
      ['Concat', 'a b', 'y', axis(0)],
    ],
  },
  'first row for all': {
    steps: [
      ['Gather', 'x zero', 'f'],
      ['Add', 'x f', 'y'],
    ],
  },
  'rows against rows': {
    steps: [
      ['Unsqueeze', 'x zero', 'a'],
      ['Unsqueeze', 'x one', 'b'],
      ['Sub', 'a b', 'd'],
      ['ReduceMean', 'd', 'y', { axes: { ints: [1] }, keepdims: { int: 0 } }],
    ],
  },
  'random noise': {
    steps: [
      ['RandomNormalLike', 'x', 'r'],
      ['Add', 'x r', 'y'],
    ],
  },
  'mean of turned rows': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0)],
      ['ReduceMean', 't', 'r', axes(-1)],
      ['Sub', 't r', 'd'],
      ['Transpose', 'd', 'y', perm(1, 0)],
    ],
  },
  'an operator of nobody': one('Shuffle', 'x', 'y', {}, 'example.org'),
};

const APART: Readonly<Record<string, Plan>> = {
  ...Object.fromEntries(REDUCTIONS.map((op) => [`${op} within rows`, withinRows(op)])),
  'layers of neurons': {
    steps: [
      ['Gemm', 'x w44 w4', 'h'],
      ['Relu', 'h', 'r'],
      ['MatMul', 'r w44', 'y'],
    ],
  },
  convolution: { ...one('Conv', 'x conv', 'y'), input: [-1, 4, 8], output: [-1, 4, 6] },
  'batch norm': one('BatchNormalization', 'x ones w4 w4 ones', 'y'),
  'layer norm': one('LayerNormalization', 'x ones', 'y', axis(-1)),
  'softmax within rows': one('Softmax', 'x', 'y', axis(-1)),
  'old softmax from axis 1': { ...one('Softmax', 'x', 'y'), opset: 11 },
  'LSTM between transpositions': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0, 2)],
      ['LSTM', 't lstmW lstmR', 's', { hidden_size: { int: 4 } }],
      ['Squeeze', 's one', 'q'],
      ['Transpose', 'q', 'y', perm(1, 0, 2)],
    ],
    input: [-1, 3, 4],
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
  'sizes of the input': {
    steps: [
      ['Shape', 'x', 's'],
      ['Gather', 's zero', 'n'],
      ['Concat', 'n minus1', 'to', axis(0)],
      ['ReduceMax', 's', 'unused', axes(0)],
      ['Reshape', 'x to', 'y'],
    ],
  },
  'cumulative sum within rows': one('CumSum', 'x one', 'y'),
  'best within rows': { ...one('TopK', 'x one', 'y -', axis(-1)), output: [-1, 1] },
  'all of the rows': one('Slice', 'x zero billion zero', 'y'),
  'weights made ready': {
    steps: [
      ['Softmax', 'w44', 'w', axis(0)],
      ['MatMul', 'x w', 'y'],
    ],
  },
  'a scaler': one(
    'Scaler',
    'x',
    'y',
    { offset: { floats: [0] }, scale: { floats: [2] } },
    'ai.onnx.ml',
  ),
  'fused activation': one('Gelu', 'x', 'y', {}, 'com.microsoft'),
};

/** All models, those that mix rows first. */
export function rowModels(): readonly RowModel[] {
  const made = (plans: Readonly<Record<string, Plan>>, expected: RowModel['expected']) =>
    Object.entries(plans).map(([name, plan]) => aRowModel(name, expected, plan));
  return [...made(MIXED, 'mixed'), ...made(APART, 'apart')];
}
