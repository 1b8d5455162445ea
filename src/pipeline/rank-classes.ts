import { ServeError } from '../core/errors.ts';
import { numbersOf } from '../core/numbers.ts';
import { formatShape, type Signature, type Tensor } from '../core/tensor.ts';

/** How scores become ranked classes, as far as it is configured. */
export type RankingSetting = {
  /** The output that holds the scores; needed where the model has several. */
  readonly output?: string | undefined;
  /** Whether scores become probabilities by a softmax; false: they are probabilities. */
  readonly softmax?: boolean | undefined;
  /** How many of the best classes are returned. */
  readonly top?: number | undefined;
};

/** The same, complete. */
export type RankingSpec = {
  readonly output: string;
  readonly softmax: boolean;
  readonly top: number;
};

export type RankedClass = {
  /** Its place among the scores. */
  readonly index: number;
  readonly probability: number;
};

const TOP = 5;

/** @throws Error that says which output was expected, and which were found. */
export function rankingSpecOf(setting: RankingSetting, { outputs }: Signature): RankingSpec {
  const { output, softmax = false, top = TOP } = setting;
  const names = outputs.map(({ name }) => `'${name}'`).join(', ');
  const [only, ...others] = outputs;
  if (output === undefined) {
    if (only !== undefined && others.length === 0) return { output: only.name, softmax, top };
    throw new Error(`postprocess.output: expected one of ${names}, found nothing`);
  }
  if (outputs.some(({ name }) => name === output)) return { output, softmax, top };
  throw new Error(`postprocess.output: expected one of ${names}, found '${output}'`);
}

/**
 * The best classes of one row of scores, best first; of equal ones the lower index first.
 *
 * @throws ServeError `runtime_failed` where there is not one row of finite scores: no made-up rank is answered.
 */
export function rankClasses(scores: Tensor, { softmax, top }: RankingSpec): readonly RankedClass[] {
  const values = valuesOf(scores);
  if (!values.every(Number.isFinite)) {
    throw failed(scores, 'finite scores', `${values.find((each) => !Number.isFinite(each))}`);
  }
  const probabilities = softmax ? softmaxOf(values) : values;
  return [...probabilities]
    .map((probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability || a.index - b.index)
    .slice(0, top);
}

/** Shifted by the greatest score, so that no exponential overflows. */
export function softmaxOf(scores: Float64Array): Float64Array {
  const greatest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = scores.map((score) => Math.exp(score - greatest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((each) => each / sum);
}

function valuesOf(tensor: Tensor): Float64Array {
  const { dtype, shape } = tensor;
  const classes = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, each) => product * each, 1);
  if (rows !== 1 || classes < 1) throw failed(tensor, 'one row of scores', formatShape(shape));
  if (dtype !== 'FP16' && dtype !== 'FP32' && dtype !== 'FP64') {
    throw failed(tensor, 'scores of FP16, FP32 or FP64', dtype);
  }
  const numbers = numbersOf(tensor);
  if (numbers === undefined)
    throw failed(tensor, `${classes} scores`, `${tensor.data.byteLength} bytes`);
  return Float64Array.from(numbers);
}

function failed({ name }: Tensor, wanted: string, found: string): ServeError {
  return new ServeError('runtime_failed', `output '${name}': expected ${wanted}, found ${found}`);
}
