/** Operators that combine what lies along an axis: they mix rows where it is theirs. */
import { without } from './shape-rules.ts';
import {
  alongRows,
  axisOf,
  type Call,
  numbersOf,
  SENT,
  type Step,
  sent,
  type Traced,
} from './traced.ts';

type Rule = (call: Call, value: Traced) => Step;

const same = ({ rank, row }: Traced): readonly Traced[] => [sent(rank, row)];

/** Along one axis, by an attribute of this name. */
function along(attribute: string, standard: number): Rule {
  return (call, value) => alongRows(value, [call.whole(attribute) ?? standard]) ?? same(value);
}

/** Over all axes from the given one on. */
function from(standard: number): Rule {
  return (call, value) => overTail(value, call.whole('axis') ?? standard) ?? same(value);
}

/** Why work over the axis and all behind it mixes rows, if it does. */
function overTail(value: Traced, axis: number): string | undefined {
  const first = axisOf(axis, value.rank);
  if (first === undefined) return undefined;
  const row = value.row ?? 0;
  return row >= first ? `works over axis ${row}, which holds the rows` : undefined;
}

const reduce: Rule = (call, value) => {
  const given = call.inputs[1];
  const axes = call.wholes('axes') ?? numbersOf(given);
  if (given && !axes) return 'works along axes that are not known from the file';
  if (!axes || axes.length === 0) {
    return call.whole('noop_with_empty_axes') === 1 ? same(value) : 'works along all axes';
  }
  const because = alongRows(value, axes);
  if (because !== undefined) return because;
  return call.whole('keepdims') === 0 ? [without(value, axes)] : same(value);
};

/** ArgMax, ArgMin. */
const argument: Rule = (call, value) => {
  const axis = call.whole('axis') ?? 0;
  const because = alongRows(value, [axis]);
  if (because !== undefined) return because;
  return call.whole('keepdims') === 0 ? [without(value, [axis])] : same(value);
};

/** Before operator set 13, all axes from the given one on are taken as one. */
const softmax: Rule = (call, value) => {
  if (call.opset >= 13) return along('axis', -1)(call, value);
  return from(1)(call, value);
};

/** The axis comes as the second input. */
const axisInput: Rule = (call, value) => {
  const axes = numbersOf(call.inputs[1]);
  if (!axes) return 'works along an axis that is not known from the file';
  return alongRows(value, axes) ?? same(value);
};

const meanVariance: Rule = (call, value) =>
  alongRows(value, call.wholes('axes') ?? [0, 2, 3]) ?? same(value);

/** Training takes the statistics of the batch; it shows by a flag, or, in old sets, by more than one output. */
const batchNormalization: Rule = (call, value) => {
  const trains = call.opset >= 14 ? call.whole('training_mode') === 1 : call.outputs > 1;
  return trains ? 'is in training mode' : same(value);
};

const dropout: Rule = (call, value) => {
  const mode = call.inputs[2];
  if (call.opset < 12 || !mode) return same(value);
  return numbersOf(mode)?.every((flag) => flag === 0) ? same(value) : 'is in training mode';
};

/** Windows over the axes behind the channels; each element of the batch by itself. */
const perElement: Rule = (_call, value) =>
  (value.row ?? 0) > 0 ? `works along axis ${value.row}, which holds the rows` : same(value);

/** Recurrent layers go along time, which is in front where `layout` is 0. Outputs: all states, the last one twice. */
const recurrent: Rule = (call, value) => {
  const layout = call.whole('layout') ?? 0;
  if (value.row === undefined) return [SENT];
  const batch = layout === 1 ? 0 : 1;
  if (value.row !== batch) return `works along axis ${value.row}, which holds the rows`;
  return layout === 1 ? [sent(4, 0), sent(3, 0)] : [sent(4, 2), sent(3, 1)];
};

/** A loss is one number for all rows, unless nothing is reduced. */
const loss: Rule = (call, value) =>
  call.text('reduction') === 'none' ? [sent(undefined, value.row)] : 'works along all axes';

const oneHot: Rule = (call, { rank, row }) => {
  if (rank === undefined || row === undefined) return [SENT];
  const at = axisOf(call.whole('axis') ?? -1, rank + 1) ?? rank;
  return [sent(rank + 1, row < at ? row : row + 1)];
};

/** Axes are the second input, or an attribute; an operator of the fast Fourier family. */
const fourier: Rule = (call, value) => {
  if (call.op === 'STFT') return perElement(call, value);
  const axis = call.whole('axis') ?? numbersOf(call.inputs[2])?.[0] ?? (call.opset < 20 ? 1 : -2);
  return alongRows(value, [axis]) ?? same(value);
};

const reductions = [
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean'],
  ...['ReduceMin', 'ReduceProd', 'ReduceSum', 'ReduceSumSquare', 'QLinearReduceMean'],
];

const perElementOps = [
  ...['Conv', 'ConvInteger', 'ConvTranspose', 'DeformConv', 'QLinearConv', 'FusedConv', 'LRN'],
  ...['NhwcFusedConv', 'NhwcConv', 'MaxPool', 'AveragePool', 'LpPool', 'GlobalAveragePool'],
  ...['GlobalMaxPool', 'GlobalLpPool', 'MaxUnpool', 'NhwcMaxPool', 'QLinearAveragePool'],
  ...['QLinearGlobalAveragePool', 'InstanceNormalization', 'GroupNormalization', 'GroupNorm'],
  ...['SkipGroupNorm', 'DepthToSpace', 'SpaceToDepth', 'GridSample', 'Attention', 'QAttention'],
  ...['MultiHeadAttention', 'GroupQueryAttention', 'RotaryEmbedding', 'EmbedLayerNormalization'],
  ...[
    'QEmbedLayerNormalization',
    'ReorderInput',
    'ReorderOutput',
    'AffineGrid',
    'Col2Im',
    'Resize',
  ],
  'Upsample',
];

const tailOps = [
  ...['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization'],
  ...['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization'],
];

function table(ops: readonly string[], rule: Rule): Readonly<Record<string, Rule>> {
  return Object.fromEntries(ops.map((op) => [op, rule]));
}

export const AXIS_RULES: Readonly<Record<string, Rule>> = {
  ...table(reductions, reduce),
  ...table(perElementOps, perElement),
  ...table(tailOps, from(-1)),
  ...table(['ArgMax', 'ArgMin'], argument),
  ...table(['Softmax', 'LogSoftmax', 'Hardmax', 'QLinearSoftmax'], softmax),
  ...table(['RNN', 'LSTM', 'GRU'], recurrent),
  ...table(['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss'], loss),
  ...table(['DFT', 'STFT'], fourier),
  TopK: along('axis', -1),
  LpNormalization: along('axis', -1),
  CumSum: axisInput,
  CumProd: axisInput,
  MeanVarianceNormalization: meanVariance,
  BatchNormalization: batchNormalization,
  Dropout: dropout,
  OneHot: oneHot,
  Det: (_call, value) => alongRows(value, [-1, -2]) ?? [without(value, [-1, -2])],
};
