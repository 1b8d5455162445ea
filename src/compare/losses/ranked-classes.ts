import { ServeError } from '../../core/errors.ts';
import { numbersOf } from '../../core/numbers.ts';
import { formatShape, type Tensor, type TensorSpec } from '../../core/tensor.ts';
import { rowsOf } from '../layout.ts';
import { topClass } from '../ranking.ts';
import { type LossRule, lossByRow, quoted } from './loss-rule.ts';

/**
 * 0 or 1 by the top class of each row. A label is a class index or a class name.
 */
export function classLoss(
  { name, shape }: Pick<TensorSpec, 'name' | 'shape'>,
  labels: readonly string[] | undefined,
): LossRule {
  const declared = shape.at(-1) ?? -1;
  const classes = declared > 0 ? declared : labels?.length;
  const names: ClassNames | undefined = labels && {
    names: labels,
    // The first of equal names is the one that counts.
    indexes: new Map(labels.map((label, at) => [label, at] as const).reverse()),
  };
  return lossByRow<number, number>({
    rowsOf: (outputs) => {
      const tensor = outputs.find((output) => output.name === name);
      return tensor && (topClassPerRow(tensor) ?? 'unreadable');
    },
    isRow: (stored) => typeof stored === 'number',
    labelOf: (label) => classOf(label, names, classes),
    loss: (top, wanted) => (top === wanted ? 0 : 1),
    apart: (a, b) => (a === b ? 0 : 1),
  });
}

function topClassPerRow(tensor: Tensor): readonly number[] | undefined {
  const size = rowsOf(tensor.shape);
  const scores = numbersOf(tensor);
  if (size === undefined || scores === undefined) return undefined;
  const { rows, classes } = size;
  const tops: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    tops.push(topClass({ scores, start: row * classes, classes }));
  }
  return tops;
}

/** The names of the classes, and where each stands: a label may be a list of thousands of names. */
type ClassNames = {
  readonly names: readonly string[];
  readonly indexes: ReadonlyMap<string, number>;
};

function classOf(
  label: unknown,
  labels: ClassNames | undefined,
  classes: number | undefined,
): number {
  if (typeof label === 'string') {
    const index = labels?.indexes.get(label);
    if (index !== undefined) return index;
    const expected =
      labels === undefined
        ? 'a class index (the model has no label names)'
        : `one of ${list(labels.names)}`;
    throw new ServeError('invalid_input', `label: expected ${expected}, found ${quoted(label)}`);
  }
  const isIndex = typeof label === 'number' && Number.isInteger(label) && label >= 0;
  if (!isIndex || (classes !== undefined && label >= classes)) {
    const range = classes === undefined ? 'from 0' : formatShape([0, classes - 1]);
    throw new ServeError(
      'invalid_input',
      `label: expected a class name or a whole number ${range}, found ${quoted(label)}`,
    );
  }
  return label;
}

function list(labels: readonly string[]): string {
  const shown = labels.slice(0, 20).map((label) => `"${label}"`);
  return shown.join(', ') + (labels.length > shown.length ? ', ...' : '');
}
