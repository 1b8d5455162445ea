/** What each operator does to rows. An operator that is not listed is left to the probe, if its domain is known. */
import { AXIS_RULES } from './axis-rules.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { elementwise, PRODUCT_RULES } from './product-rules.ts';
import { concat, SHAPE_RULES } from './shape-rules.ts';
import { type Call, SENT, type Step, sent, type Traced } from './traced.ts';

/** Give what no other run gives, for any input. */
const RANDOM = /^(Random(Normal|Uniform)(Like)?|Bernoulli|Multinomial)$/;

/** Their answer, or its size, comes from all that is in the input. */
const WHOLE: Readonly<Record<string, string>> = {
  NonZero: 'gives as many rows as it finds elements',
  NonMaxSuppression: 'gives as many rows as it finds boxes',
  Unique: 'gives as many rows as it finds values',
  Compress: 'gives as many rows as it picks',
  RoiAlign: 'picks rows by their number',
  MaxRoiPool: 'picks rows by their number',
  CropAndResize: 'picks rows by their number',
  Loop: 'runs as often as what was sent says',
  Scan: 'goes along an axis, from row to row',
  If: 'depends on a condition over the whole batch',
  SequenceMap: 'works on a sequence, element by element',
};

/** The scale is taken over the whole batch. */
const DYNAMIC = /^Dynamic(Quantize|Time)/;

/** Element by element on the first input; the others are scales, types or tables. */
const FIRST_ONLY = new Set([
  ...['CastLike', 'QuantizeLinear', 'DequantizeLinear', 'QLinearSigmoid', 'QLinearLeakyRelu'],
  ...['StringConcat', 'BiasAdd', 'BiasSplitGelu'],
  ...['Binarizer', 'CategoryMapper', 'CastMap', 'Imputer', 'LabelEncoder', 'Scaler'],
]);

/** Operators of classical models: one answer a row. */
const PER_ROW = new Set([
  ...['ArrayFeatureExtractor', 'DictVectorizer', 'FeatureVectorizer', 'LinearClassifier'],
  'Normalizer',
  ...['LinearRegressor', 'OneHotEncoder', 'SVMClassifier', 'SVMRegressor', 'TreeEnsemble'],
  'TfIdfVectorizer',
  ...['TreeEnsembleClassifier', 'TreeEnsembleRegressor', 'ZipMap'],
]);

/** What the runtime's own domains hold that is known to leave rows alone, or has a rule here. */
const RUNTIME_OPS = new Set([
  ...['Attention', 'QAttention', 'MultiHeadAttention', 'GroupQueryAttention', 'RotaryEmbedding'],
  ...['EmbedLayerNormalization', 'QEmbedLayerNormalization', 'SkipLayerNormalization'],
  ...['SkipSimplifiedLayerNormalization', 'SimplifiedLayerNormalization', 'GroupNorm'],
  ...['SkipGroupNorm', 'BiasAdd', 'BiasGelu', 'BiasSplitGelu', 'FastGelu', 'QuickGelu', 'Gelu'],
  ...['FusedMatMul', 'TransposeMatMul', 'FusedGemm', 'FusedConv', 'NhwcFusedConv', 'NhwcConv'],
  ...['NhwcMaxPool', 'MatMulIntegerToFloat', 'MatMulNBits', 'QGemm', 'QLinearAdd', 'QLinearMul'],
  ...['QLinearAveragePool', 'QLinearGlobalAveragePool', 'QLinearConcat', 'QLinearConv'],
  ...['QLinearLeakyRelu', 'QLinearSigmoid', 'QLinearSoftmax', 'QLinearWhere', 'QuantizeLinear'],
  ...['DequantizeLinear', 'QLinearReduceMean', 'CDist', 'Pad', 'Trilu', 'Unique', 'CropAndResize'],
  ...['Conv', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'Upsample'],
  ...['ReorderInput', 'ReorderOutput'],
]);

const RUNTIME_DOMAIN = /^com\.microsoft(\.nchwc|\.nhwc)?$|^com\.ms\.internal\.nhwc$/;

/** Takes no two elements together: where the rows are does not matter. */
const MOVING = new Set([
  ...['Reshape', 'Transpose', 'Unsqueeze', 'Squeeze', 'Flatten', 'Expand', 'Concat', 'Identity'],
  ...FIRST_ONLY,
]);

function isLost(value: Traced | undefined): boolean {
  return value?.kind === 'sent' && value.row === undefined;
}

/** What is known of their first input decides, whichever are sent. */
const BY_DATA = new Set(['OneHot', 'Gather', 'GatherND', 'ScatterND']);

/** Why a node of this name and domain may not be in a model whose requests share runs. */
export function alwaysMixes(op: string, domain: string): string | undefined {
  if (RANDOM.test(op)) return 'answers at random';
  if (domain === '' || domain === 'ai.onnx' || domain === 'ai.onnx.ml') return undefined;
  if (!RUNTIME_DOMAIN.test(domain)) return `is of the domain '${domain}', which is not known here`;
  if (DYNAMIC.test(op) || RUNTIME_OPS.has(op)) return undefined;
  return `is an operator of '${domain}' that is not known to leave rows alone`;
}

/** What becomes of rows in a node that gets what callers sent. */
export function follow(call: Call): Step {
  const { op } = call;
  if (Object.hasOwn(WHOLE, op)) return WHOLE[op] ?? '';
  if (DYNAMIC.test(op)) return 'takes its scale over the whole batch';
  if (ELEMENTWISE.has(op)) return elementwise(call);
  if (op === 'QLinearAdd' || op === 'QLinearMul') return quantised(call);
  if (call.inputs.some(isLost) && !MOVING.has(op))
    return 'works on values whose rows are not known';
  if (op === 'Concat' || op === 'QLinearConcat') return concat(call);
  const product = ruleIn(PRODUCT_RULES, op);
  if (product) return product(call);
  if (BY_DATA.has(op)) return withFirst(call, call.inputs[0] ?? SENT);
  return withFirst(call, call.inputs.find((each) => each?.kind === 'sent') ?? SENT);
}

/** The other factor stands behind scale and zero point. */
function quantised(call: Call): Step {
  return elementwise({ ...call, inputs: [call.inputs[0], call.inputs[3]] });
}

function withFirst(call: Call, value: Traced): Step {
  if (FIRST_ONLY.has(call.op)) return first(call, value);
  if (PER_ROW.has(call.op)) return perRow(call, value);
  const rule = ruleIn(SHAPE_RULES, call.op) ?? ruleIn(AXIS_RULES, call.op);
  return rule ? rule(call, value) : [SENT];
}

/** Scales and tables that are sent could be those of other rows. */
function first({ op, inputs }: Call, value: Traced): Step {
  const isAlone = inputs.filter((each) => each?.kind === 'sent').length <= 1;
  return isAlone || op === 'CastLike' ? [sent(value.rank, value.row)] : elementwise({ inputs });
}

/** Vectors of features are rows along axis 0; a single one, without that axis, is one row. */
function perRow({ op, inputs: [first] }: Call, { rank, row }: Traced): Step {
  if (rank === 1 && op !== 'OneHotEncoder') return 'takes a list for one row';
  if (row !== undefined && row > 0) return `works along axis ${row}, which holds the rows`;
  // A table's entries come out in one line, as many as there are places.
  if (op === 'ArrayFeatureExtractor' && first?.kind !== 'sent' && row === 0) {
    return [first?.rank === 1 ? { ...sent(2, 1), isInFront: true } : SENT];
  }
  if (first?.kind !== 'sent' || row !== 0) return [SENT];
  return op.endsWith('Classifier')
    ? [sent(1, 0), sent(2, 0)]
    : [sent(op === 'OneHotEncoder' ? undefined : 2, 0)];
}

function ruleIn<T>(rules: Readonly<Record<string, T>>, op: string): T | undefined {
  return Object.hasOwn(rules, op) ? rules[op] : undefined;
}
