/**
 * Models made to be taken for what they are not. Most have a rare branch: only a number from 5 to 50 gives another answer, which
 * no probe sends, so that what they mix is found in the graph or not at all.
 */
import { CHOICE, IOTA } from './common-steps.ts';
import { axis, one, type Plan, perm, type Step, some } from './row-model.ts';

/** What was made of rows turns the sign of all, where `m` (of one element, or one a row) is from 5 to 50. */
const rarely = (...steps: readonly Step[]): Plan => ({
  steps: [
    ...steps,
    ['Greater', 'm five', 'over'],
    ['Less', 'm fifty', 'under'],
    ['And', 'over under', 'c'],
    ['Neg', 'x', 'n'],
    ['Where', 'c n x', 'y'],
  ],
});

/** The first number of each row decides whether its own row is meant or row 0. */
const OFTEN_OWN: readonly Step[] = [
  ...IOTA,
  ['Gather', 'x zeroth', 'head', axis(1)],
  ['Greater', 'head five', 'isRare'],
  ['Where', 'isRare zeroth iota', 'which'],
  ['Unsqueeze', 'which minus1', 'places'],
];

/** Rows meet, or depend on their place or number. */
export const DISGUISED_MIXED: Readonly<Record<string, Plan>> = {
  'rows hidden by a change of rank': rarely(
    ['Transpose', 'x', 't', perm(1, 0)],
    ['Reshape', 't twoAndAll', 'r'],
    ['ReduceMax', 'r', 'm1', { axes: { ints: [1] }, keepdims: { int: 1 } }],
    ['Slice', 'm1 zero one zero', 'm'],
  ),
  'rows among columns by constants': rarely(
    ['Reshape', 'x fourToRows', 'r'],
    ['ReduceMax', 'r', 'm4', { axes: { ints: [1] }, keepdims: { int: 0 } }],
    ['Gather', 'm4 zero', 'm', axis(0)],
  ),
  'all in one row, normalised': {
    steps: [
      ['Reshape', 'x toRow', 'r'],
      ['Softmax', 'r', 's', axis(1)],
      ['Reshape', 's toRows', 'y'],
    ],
  },
  'a rank that is unknown': rarely(
    ['Transpose', 'x', 't', perm(1, 0)],
    ['Unsqueeze', 't one', 'u'],
    ['Squeeze', 'u', 's'],
    ['ReduceMax', 's', 'm4', { axes: { ints: [-1] }, keepdims: { int: 0 } }],
    ['Gather', 'm4 zero', 'm', axis(0)],
  ),
  'a product that leaves its letters out': rarely([
    'Einsum',
    'x x',
    'm',
    { equation: { text: 'ni,ni' } },
  ]),
  'rows picked by what is sent': {
    steps: [...OFTEN_OWN, ['GatherND', 'x places', 'y']],
  },
  'the first row picked by a constant': rarely(
    ['GatherND', 'x first', 'f'],
    ['Slice', 'f zero one one', 'm'],
  ),
  'rows written where the data say': {
    steps: [...OFTEN_OWN, ['ScatterND', 'x places x', 'y']],
  },
  'a histogram of all rows': rarely(
    ['Gather', 'x zero', 'head', axis(1)],
    ['Greater', 'head nil', 'high'],
    ['Cast', 'high', 'bins', { to: { int: 7 } }],
    ['Squeeze', 'head one', 'flat'],
    ['ScatterND', 'none4 bins flat', 'h', { reduction: { text: 'max' } }],
    ['Gather', 'h one', 'm', axis(0)],
  ),
  'a sign by the number of rows': {
    steps: [
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['Equal', 's five1', 'c'],
      ['Neg', 'x', 'n'],
      ['Where', 'c n x', 'y'],
    ],
  },
  'a branch on the number of elements': {
    steps: [
      ['Size', 'x', 's'],
      ['Equal', 's twenty', 'c'],
      ['If', 'c', 'y', CHOICE],
    ],
  },
  'ones as many as rows': {
    steps: [
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['ConstantOfShape', 's', 'z'],
      ['MatMul', 'z x', 'sum'],
      ['Add', 'x sum', 'y'],
    ],
  },
  'the place of each row, rarely': {
    steps: [
      ...IOTA,
      ['Cast', 'iota', 'f', { to: { int: 1 } }],
      ['Unsqueeze', 'f one', 'column'],
      ['Greater', 'x five', 'c'],
      ['Where', 'c column nil', 'bonus'],
      ['Add', 'x bonus', 'y'],
    ],
  },
  'the place of each row, counted otherwise': {
    steps: [
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['ConstantOfShape', 's', 'none'],
      ['Add', 'none half', 'some'],
      ['NonZero', 'some', 'line'],
      ['Transpose', 'line', 'column', perm(1, 0)],
      ['Cast', 'column', 'f', { to: { int: 1 } }],
      ['Greater', 'x five', 'c'],
      ['Where', 'c f nil', 'bonus'],
      ['Add', 'x bonus', 'y'],
    ],
  },
  'a sign by a sum of ones': {
    steps: [
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['ConstantOfShape', 's', 'none'],
      ['Cos', 'none', 'all'],
      ['ReduceSum', 'all zero', 'count'],
      ['Equal', 'count five', 'c'],
      ['Neg', 'x', 'n'],
      ['Where', 'c n x', 'y'],
    ],
  },
  'rows turned and cut otherwise': {
    steps: [
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['Concat', 's four1', 'to', axis(0)],
      ['Transpose', 'x', 't', perm(1, 0)],
      ['Reshape', 't to', 'r'],
      ['Greater', 'r five', 'over'],
      ['Less', 'r fifty', 'under'],
      ['And', 'over under', 'c'],
      ['Neg', 'x', 'n'],
      ['Where', 'c n x', 'y'],
    ],
  },
  'rows turned and cut otherwise, where that is rarely seen': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0)],
      ['Reshape', 't toRows', 'r'],
      ['Sub', 'r five', 'a'],
      ['Abs', 'a', 'b'],
      ['Sub', 'five b', 'd'],
      ['Sub', 'd three', 'e'],
      ['Relu', 'e', 'y'],
    ],
  },
  'the last row, by a computed slice': rarely(
    ['Shape', 'x', 's', { end: { int: 1 } }],
    ['Sub', 's one', 'at'],
    ['Slice', 'x at s zero', 'last'],
    ['Slice', 'last zero one one', 'm'],
  ),
  'the last row, by a computed place': rarely(
    ['Shape', 'x', 's', { end: { int: 1 } }],
    ['Sub', 's one', 'at'],
    ['Gather', 'x at', 'last'],
    ['Slice', 'last zero one one', 'm'],
  ),
  'each row with each, expanded': {
    steps: [
      ['Unsqueeze', 'x zero', 'a'],
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['Concat', 's one one', 'to', axis(0)],
      ['Expand', 'a to', 'e'],
      ['ReduceMax', 'e', 'm', { axes: { ints: [1] }, keepdims: { int: 0 } }],
      ['Sub', 'x m', 'y'],
    ],
  },
  'a sequence made of rows': rarely(
    ['Transpose', 'x', 't', perm(1, 0)],
    ['SequenceConstruct', 't t', 'q'],
    ['ConcatFromSequence', 'q', 'r', axis(1)],
    ['ReduceMax', 'r', 'm4', { axes: { ints: [1] }, keepdims: { int: 0 } }],
    ['Gather', 'm4 zero', 'm', axis(0)],
  ),
  'sampled across rows': {
    steps: [
      ['Unsqueeze', 'x zero', 'u'],
      ['Unsqueeze', 'u zero', 'v'],
      ['GridSample', 'v grid', 'g'],
      ['Reshape', 'g toFirst', 'r'],
      ['Add', 'x r', 'y'],
    ],
    opset: 16,
  },
  'resized across rows': {
    steps: [
      ['Unsqueeze', 'x zero', 'u'],
      ['Unsqueeze', 'u zero', 'v'],
      ['Resize', 'v - twofold', 'w', { mode: { text: 'linear' } }],
      ['Resize', 'w - halved', 'z', { mode: { text: 'linear' } }],
      ['Reshape', 'z toRows', 'y'],
    ],
  },
  'features taken across rows': rarely(
    ['Transpose', 'x', 't', perm(1, 0)],
    ['ArrayFeatureExtractor', 't zero', 'f', {}, 'ai.onnx.ml'],
    ['Slice', 'f zero one zero', 'm'],
  ),
  'rows normalised as columns': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0)],
      ['Normalizer', 't', 'd', { norm: { text: 'MAX' } }, 'ai.onnx.ml'],
      ['Transpose', 'd', 'y', perm(1, 0)],
    ],
  },
  'a list that is one row': {
    ...one('Normalizer', 'x', 'y', { norm: { text: 'L1' } }, 'ai.onnx.ml'),
    input: [-1],
  },
  'a loop of a fixed length, over rows': one('Loop', 'thrice yes x', 'y', {
    body: {
      graph: {
        inputs: [some('at', [], 'INT64'), some('go', [], 'BOOL'), some('v', [-1, 4])],
        steps: [
          ['Identity', 'go', 'on'],
          ['ReduceMax', 'v', 'm', { axes: { ints: [0] }, keepdims: { int: 1 } }],
          ['Sub', 'v m', 'w'],
        ],
        outputs: [some('on', [], 'BOOL'), some('w', [-1, 4])],
      },
    },
  }),
  'time in front of a layer that takes rows in front': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0, 2)],
      ['GRU', 't gruW gruR', 's', { hidden_size: { int: 4 }, layout: { int: 1 } }],
      ['Squeeze', 's two', 'y'],
    ],
    input: [-1, 3, 4],
    // The runtime has no such layout on a processor.
    loads: false,
  },
};
