/** Models whose rows meet: by what is in them, or by what comes out. */
import { axes, axis, type Inner, one, type Plan, perm, type Step, some } from './row-model.ts';

export const REDUCTIONS = [
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean'],
  ...['ReduceMin', 'ReduceProd', 'ReduceSumSquare'],
];

/** What is made of a value `r` that broadcasts to the input goes into the answer. */
const into = (...steps: readonly Step[]): Plan => ({ steps: [...steps, ['Sub', 'x r', 'y']] });

/** To the rows in front and back: what lies along the last axis in between are the rows. */
const turned = (...steps: readonly Step[]): Plan => ({
  steps: [['Transpose', 'x', 't', perm(1, 0)], ...steps, ['Transpose', 'd', 'y', perm(1, 0)]],
});

/** As `quantize_dynamic` writes a layer: the scale of what comes in is found on the way. */
const DYNAMIC_INT8: readonly Step[] = [
  ['DynamicQuantizeLinear', 'x', 'q s z'],
  ['MatMulInteger', 'q q44 z q128', 'i'],
  ['Cast', 'i', 'f', { to: { int: 1 } }],
  ['Mul', 's fiftieth', 'm'],
  ['Mul', 'f m', 'p'],
  ['Add', 'p w4', 'y'],
];

const NEGATED: Inner = { steps: [['Neg', 'x', 'n']], outputs: [some('n', [-1, 4])] };
const KEPT: Inner = { steps: [['Identity', 'x', 'k']], outputs: [some('k', [-1, 4])] };

const overRows: Readonly<Record<string, Plan>> = {
  ...Object.fromEntries(
    REDUCTIONS.map((op) => [`${op} over rows`, into([op, 'x', 'r', axes(0)])] as const),
  ),
  'sum over rows': into(['ReduceSum', 'x zero', 'r']),
  'mean over all axes': into(['ReduceMean', 'x', 'r']),
  'axis from the back': into(['ReduceMax', 'x', 'r', axes(-2)]),
  'largest of the rows': into(
    ['ArgMax', 'x', 'a', axis(0)],
    ['Cast', 'a', 'r', { to: { int: 1 } }],
  ),
  'softmax over rows': one('Softmax', 'x', 'y', axis(0)),
  'log softmax over rows': one('LogSoftmax', 'x', 'y', axis(-2)),
  'hardmax over rows': one('Hardmax', 'x', 'y', axis(0)),
  'old softmax from axis 0': { ...one('Softmax', 'x', 'y', axis(0)), opset: 11 },
  'cumulative sum': one('CumSum', 'x zero', 'y'),
  'cumulative sum from the end': one('CumSum', 'x minus2', 'y', { reverse: { int: 1 } }),
  'sorted rows': into(['TopK', 'x one', 'r i', axis(0)]),
  'norm over rows': one('LpNormalization', 'x', 'y', axis(0)),
  'layer norm over all': one('LayerNormalization', 'x one1', 'y', axis(0)),
  'mean and variance': { ...one('MeanVarianceNormalization', 'x', 'y'), input: [-1, 2, 2, 2] },
  'batch norm in training': {
    ...one('BatchNormalization', 'x ones w4 w4 ones', 'y m v', { training_mode: { int: 1 } }),
    // It ends the process that loads it.
    loads: false,
  },
  'instance norm of the turned': turned(
    ['Unsqueeze', 't zero', 'u'],
    ['InstanceNormalization', 'u ones none4', 'v'],
    ['Squeeze', 'v zero', 'd'],
  ),
  'convolution over rows': turned(
    ['Unsqueeze', 't zero', 'u'],
    ['Conv', 'u conv', 'v', { pads: { ints: [1, 1] } }],
    ['Squeeze', 'v zero', 'd'],
  ),
  'mean of turned rows': turned(['ReduceMean', 't', 'r', axes(-1)], ['Sub', 't r', 'd']),
  'a scan from row to row': one('Scan', 'none4 x', 'last y', {
    num_scan_inputs: { int: 1 },
    body: {
      graph: {
        inputs: [some('sum', [4]), some('row', [4])],
        steps: [
          ['Add', 'sum row', 'next'],
          ['Identity', 'next', 'out'],
        ],
        outputs: [some('next', [4]), some('out', [4])],
      },
    },
  }),
};

const recurrent: Readonly<Record<string, Plan>> = {
  'sequence first': {
    ...one('LSTM', 'x lstmW lstmR', 'y', { hidden_size: { int: 4 } }),
    input: [-1, 2, 4],
    output: [-1, 1, 2, 4],
  },
  'sequence first, any batch': {
    steps: [
      ['LSTM', 'x lstmW lstmR', 's', { hidden_size: { int: 4 } }],
      ['Squeeze', 's one', 'h'],
      ['MatMul', 'h w42', 'y'],
    ],
    input: [-1, -1, 4],
    output: [-1, -1, 2],
  },
  'gated, sequence first': {
    steps: [
      ['GRU', 'x gruW gruR', 's', { hidden_size: { int: 4 } }],
      ['Squeeze', 's one', 'y'],
    ],
    input: [-1, 3, 4],
  },
};

const products: Readonly<Record<string, Plan>> = {
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
  'fused attention across rows': {
    steps: [
      ['Unsqueeze', 'x zero', 'u'],
      ['Attention', 'u attend attendB', 'v', { num_heads: { int: 2 } }, 'com.microsoft'],
      ['Squeeze', 'v zero', 'y'],
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
  'added up by a short Einsum': into(['Einsum', 'x ones', 'r', { equation: { text: 'ni,i->' } }]),
  'rows against rows': {
    steps: [
      ['Unsqueeze', 'x zero', 'a'],
      ['Unsqueeze', 'x one', 'b'],
      ['Sub', 'a b', 'd'],
      ['ReduceMean', 'd', 'y', { axes: { ints: [1] }, keepdims: { int: 0 } }],
    ],
  },
};

const quantised: Readonly<Record<string, Plan>> = {
  'dynamic int8': { steps: DYNAMIC_INT8 },
  'dynamic int8, taken back': {
    steps: [
      ['DynamicQuantizeLinear', 'x', 'q s z'],
      ['DequantizeLinear', 'q s z', 'd'],
      ['MatMul', 'd w44', 'y'],
    ],
  },
  'fused dynamic int8': one(
    ...(['DynamicQuantizeMatMul', 'x q44 fiftieth q128', 'y', {}, 'com.microsoft'] as const),
  ),
};

const choices: Readonly<Record<string, Plan>> = {
  'a branch on rare data': {
    steps: [
      ['ReduceMax', 'x', 'm', { keepdims: { int: 0 } }],
      ['Greater', 'm three', 'c'],
      ['If', 'c', 'y', { then_branch: { graph: NEGATED }, else_branch: { graph: KEPT } }],
    ],
  },
  'a choice by a global maximum': {
    steps: [
      ['ReduceMax', 'x', 'm'],
      ['Greater', 'm three', 'c'],
      ['Neg', 'x', 'n'],
      ['Where', 'c n x', 'y'],
    ],
  },
  'a branch within a branch': {
    steps: [
      ['Identity', 'yes', 'always'],
      [
        ...(['If', 'always', 'y'] as const),
        {
          then_branch: {
            graph: {
              steps: [
                ['ReduceMax', 'x', 'm', { keepdims: { int: 0 } }],
                ['Greater', 'm three', 'c'],
                ['If', 'c', 'i', { then_branch: { graph: NEGATED }, else_branch: { graph: KEPT } }],
              ],
              outputs: [some('i', [-1, 4])],
            },
          },
          else_branch: { graph: KEPT },
        },
      ],
    ],
  },
  'a branch on the number of rows': {
    steps: [
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['Greater', 's four1', 'c'],
      ['If', 'c', 'y', { then_branch: { graph: NEGATED }, else_branch: { graph: KEPT } }],
    ],
  },
  'a loop as long as the rows': {
    steps: [
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['Squeeze', 's zero', 'n'],
      [
        ...(['Loop', 'n yes x', 'y'] as const),
        {
          body: {
            graph: {
              inputs: [some('at', [], 'INT64'), some('go', [], 'BOOL'), some('v', [-1, 4])],
              steps: [
                ['Identity', 'go', 'on'],
                ['Mul', 'v half', 'w'],
              ],
              outputs: [some('on', [], 'BOOL'), some('w', [-1, 4])],
            },
          },
        },
      ],
    ],
  },
  'random noise': {
    steps: [
      ['RandomNormalLike', 'x', 'r'],
      ['Add', 'x r', 'y'],
    ],
  },
  'random without an input': {
    steps: [
      ['RandomUniform', '', 'r', { shape: { ints: [1, 4] } }],
      ['Add', 'x r', 'y'],
    ],
  },
  'an operator of an unknown domain': {
    ...one('Shuffle', 'x', 'y', {}, 'example.org'),
    loads: false,
  },
  'a function that calls one that reduces': {
    steps: [['outer', 'x', 'y', {}, 'local']],
    locals: [
      {
        ...{ name: 'inner', inputs: 'a', outputs: 'b' },
        steps: [['ReduceMax', 'a', 'b', axes(0)]],
      },
      {
        ...{ name: 'outer', inputs: 'a', outputs: 'c' },
        steps: [
          ['inner', 'a', 'b', {}, 'local'],
          ['Sub', 'a b', 'c'],
        ],
      },
    ],
  },
};

const picked: Readonly<Record<string, Plan>> = {
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
  'a detector': {
    steps: [
      ['Gather', 'x zeroth', 's', axis(1)],
      ['Greater', 's nil', 'c'],
      ['Compress', 'x c', 'y', axis(0)],
    ],
    symbol: 'num_boxes',
  },
  'a detector that calls its boxes rows': {
    steps: [
      ['Gather', 'x zeroth', 's', axis(1)],
      ['Greater', 's nil', 'c'],
      ['Compress', 'x c', 'y', axis(0)],
    ],
  },
  'boxes that do not overlap': {
    steps: [
      ['Unsqueeze', 'x zero', 'boxes'],
      ['Gather', 'x zeroth', 's', axis(1)],
      ['Unsqueeze', 's zero', 'line'],
      ['Unsqueeze', 'line zero', 'scores'],
      ['NonMaxSuppression', 'boxes scores thrice half1', 'picks'],
      ['Cast', 'picks', 'y', { to: { int: 1 } }],
    ],
    output: [-1, 3],
  },
  'reversed rows': {
    ...one('ReverseSequence', 'x lengths', 'y', { time_axis: { int: 0 }, batch_axis: { int: 1 } }),
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
};

/** By name. */
export const MIXED: Readonly<Record<string, Plan>> = {
  ...overRows,
  ...recurrent,
  ...products,
  ...quantised,
  ...choices,
  ...picked,
};
