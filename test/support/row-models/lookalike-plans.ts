/** Models whose rows are apart, in the ways that exporters write them: easily taken for a mixture. */
import { CHOICE, IOTA } from './common-steps.ts';
import { axis, one, type Plan, perm, some } from './row-model.ts';

/** By name. */
export const LOOKALIKES_APART: Readonly<Record<string, Plan>> = {
  'a branch on a width': {
    steps: [
      ['Shape', 'x', 's'],
      ['Gather', 's at1', 'w', axis(0)],
      ['Equal', 'w thrice', 'c'],
      ['If', 'c', 'y', CHOICE],
    ],
    input: [-1, -1],
  },
  'the token at a place that is sent': {
    steps: [
      ...IOTA,
      ['Unsqueeze', 'iota minus1', 'i'],
      ['Clip', 'z zeroth two0', 'where'],
      ['Unsqueeze', 'where minus1', 'j'],
      ['Concat', 'i j', 'places', axis(-1)],
      ['GatherND', 'x places', 'y'],
    ],
    input: [-1, 3, 4],
    more: [some('z', [-1], 'INT64')],
    output: [-1, 4],
    gives: 'FP32',
  },
  'an LSTM whose first state is as large as the batch': {
    steps: [
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['Concat', 'one s four1', 'to', axis(0)],
      ['ConstantOfShape', 'to', 'h0'],
      ['Transpose', 'x', 't', perm(1, 0, 2)],
      ['LSTM', 't lstmW lstmR - - h0 h0', '- h c', { hidden_size: { int: 4 } }],
      ['Squeeze', 'h zero', 'y'],
    ],
    input: [-1, -1, 4],
    output: [-1, 4],
  },
  'a class token for each row': {
    steps: [
      ['Shape', 'x', 's', { end: { int: 1 } }],
      ['Concat', 's minus1 minus1', 'to', axis(0)],
      ['Equal', 'to minus1', 'isFree'],
      ['Where', 'isFree one to', 'size'],
      ['Expand', 'w114 size', 'token'],
      ['Concat', 'token x', 'y', axis(1)],
    ],
    input: [-1, 3, 4],
    output: [-1, 4, 4],
  },
  'a state for each layer, as exporters expand it': {
    steps: [
      ['ConstantOfShape', 'three1', 'none'],
      ['Cast', 'none', 'zeros', { to: { int: 7 } }],
      ['Equal', 'toLayers zeros', 'isFree'],
      ['Where', 'isFree zeros toLayers', 'size'],
      ['Unsqueeze', 'x one', 'u'],
      ['Expand', 'u size', 'y'],
    ],
    output: [-1, 2, 4],
    takes: 'FP32',
  },
  'windows of a picture': {
    steps: [
      ['Reshape', 'x toWindows', 'a'],
      ['Transpose', 'a', 'b', perm(0, 1, 3, 2, 4, 5)],
      ['Reshape', 'b toTokens', 'c'],
      ['Transpose', 'c', 'd', perm(0, 2, 1)],
      ['MatMul', 'c d', 'e'],
      ['Softmax', 'e', 'f', axis(-1)],
      ['MatMul', 'f c', 'g'],
      ['Reshape', 'g fromTokens', 'h'],
      ['Transpose', 'h', 'i', perm(0, 1, 3, 2, 4, 5)],
      ['Reshape', 'i toPicture', 'y'],
    ],
    input: [-1, 4, 4, 2],
  },
  'attention with time in front': {
    steps: [
      ['Transpose', 'x', 't', perm(1, 0, 2)],
      ['Shape', 't', 's'],
      ['Gather', 's zero', 'T', axis(0)],
      ['Gather', 's one', 'N', axis(0)],
      ['Mul', 'N two', 'NH', {}],
      ['Concat', 'T NH two', 'toHeadsOf', axis(0)],
      ['Reshape', 't toHeadsOf', 'h'],
      ['Transpose', 'h', 'q', perm(1, 0, 2)],
      ['Transpose', 'h', 'k', perm(1, 2, 0)],
      ['MatMul', 'q k', 'w'],
      ['Softmax', 'w', 'a', axis(-1)],
      ['MatMul', 'a q', 'v'],
      ['Transpose', 'v', 'o', perm(1, 0, 2)],
      ['Concat', 'T N four1', 'back', axis(0)],
      ['Reshape', 'o back', 'p'],
      ['Transpose', 'p', 'y', perm(1, 0, 2)],
    ],
    input: [-1, -1, 4],
  },
  'groups of channels': {
    steps: [
      ['Reshape', 'x toGroups', 'g'],
      ['InstanceNormalization', 'g w2 w2', 'n'],
      ['Shape', 'x', 's'],
      ['Reshape', 'n s', 'y'],
    ],
    input: [-1, 4, 3],
  },
  'distances to what was learned': {
    ...one('CDist', 'x w44', 'y', { metric: { text: 'euclidean' } }, 'com.microsoft'),
  },
  'a classifier of features': {
    steps: [
      ['Imputer', 'x', 'a', { imputed_value_floats: { floats: [0] } }, 'ai.onnx.ml'],
      ['Normalizer', 'a', 'b', { norm: { text: 'L2' } }, 'ai.onnx.ml'],
      [
        ...(['LinearClassifier', 'b', 'label y'] as const),
        {
          coefficients: { floats: [1, 0, -1, 0.5, -1, 0.5, 0.25, 1] },
          intercepts: { floats: [0.1, -0.1] },
          classlabels_ints: { ints: [0, 1] },
          post_transform: { text: 'SOFTMAX' },
        },
        'ai.onnx.ml',
      ],
    ],
    output: [-1, 2],
  },
  'the name of the best class': {
    steps: [
      ['ArgMax', 'x', 'a', { axis: { int: 1 }, keepdims: { int: 1 } }],
      ['ArrayFeatureExtractor', 'none4 a', 'b', {}, 'ai.onnx.ml'],
      ['Reshape', 'b toList', 'y'],
    ],
    output: [-1],
  },
  'a loop of a fixed length': one('Loop', 'thrice yes x', 'y', {
    body: {
      graph: {
        inputs: [some('at', [], 'INT64'), some('go', [], 'BOOL'), some('v', [-1, 4])],
        steps: [
          ['Identity', 'go', 'on'],
          ['MatMul', 'v w44', 'w'],
        ],
        outputs: [some('on', [], 'BOOL'), some('w', [-1, 4])],
      },
    },
  }),
};
