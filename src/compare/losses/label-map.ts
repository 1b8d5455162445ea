import { ServeError } from '../../core/errors.ts';
import type { Tensor, TensorSpec } from '../../core/tensor.ts';
import { numberRowsOf } from '../number-rows.ts';
import { type LossRule, lossByRow, quoted } from './loss-rule.ts';

export type LabelMapLossOptions = {
  readonly output: Pick<TensorSpec, 'name' | 'shape'>;
  /** Names of the labels, in the order of the scores. */
  readonly names: readonly string[] | undefined;
  /** A label holds from this score on; as the comparator's. */
  readonly threshold: number;
};

/** Which labels hold in a row, in rising order, and of how many; null: a score is NaN. */
type Marked = { readonly of: number; readonly on: readonly number[] } | null;

/** Hamming loss: the share of a row's labels that hold and should not, or the other way. A label lists those that hold. */
export function labelMapLoss({
  output: { name, shape },
  names,
  threshold,
}: LabelMapLossOptions): LossRule {
  const declared = shape.at(-1) ?? -1;
  const indexOf = indexIn(names, declared > 0 ? declared : names?.length);
  return lossByRow<Marked, readonly number[]>({
    rowsOf: (outputs) => {
      const tensor = outputs.find((output) => output.name === name);
      return tensor && (markedRows(tensor, threshold) ?? 'unreadable');
    },
    isRow: isMarked,
    isListPerRow: true,
    labelOf: (label) => {
      if (!Array.isArray(label)) {
        throw new ServeError(
          'invalid_input',
          `label: expected a list of the labels that hold, found ${quoted(label)}`,
        );
      }
      return [...new Set(label.map(indexOf))].sort((a, b) => a - b);
    },
    loss: (row, wanted) => {
      const last = wanted.at(-1) ?? -1;
      if (row !== null && last >= row.of) {
        throw new ServeError(
          'invalid_input',
          `label: expected indexes below ${row.of}, found ${last}`,
        );
      }
      return row === null ? 1 : differing(row.on, wanted) / row.of;
    },
    apart: (a, b) => {
      if (a === null || b === null) return a === b ? 0 : 1;
      return a.of === b.of ? differing(a.on, b.on) / a.of : 1;
    },
  });
}

/** How many are in one of the two alone. */
function differing(a: readonly number[], b: readonly number[]): number {
  const other = new Set(b);
  const common = a.filter((index) => other.has(index)).length;
  return a.length + b.length - 2 * common;
}

function isMarked(stored: unknown): stored is Marked {
  if (stored === null) return true;
  if (typeof stored !== 'object') return false;
  const { of, on } = stored as Partial<NonNullable<Marked>>;
  return (
    typeof of === 'number' && Array.isArray(on) && on.every((index) => typeof index === 'number')
  );
}

function markedRows(tensor: Tensor, threshold: number): readonly Marked[] | undefined {
  const numbers = numberRowsOf(tensor);
  if (numbers === undefined || numbers.width === 0) return undefined;
  const { values, rows, width } = numbers;
  return Array.from({ length: rows }, (_, row) => {
    const on: number[] = [];
    for (let label = 0; label < width; label += 1) {
      const score = values[row * width + label] ?? Number.NaN;
      if (Number.isNaN(score)) return null;
      if (score >= threshold) on.push(label);
    }
    return { of: width, on };
  });
}

function indexIn(
  names: readonly string[] | undefined,
  labels: number | undefined,
): (label: unknown) => number {
  // The first of equal names is the one that counts.
  const indexes = new Map(names?.map((name, at) => [name, at] as const).reverse());
  return (label) => {
    const index = typeof label === 'string' ? indexes.get(label) : label;
    if (
      typeof index === 'number' &&
      Number.isSafeInteger(index) &&
      index >= 0 &&
      index < (labels ?? Infinity)
    )
      return index;
    const named = names
      ? `one of ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''}, or `
      : '';
    throw new ServeError(
      'invalid_input',
      `label: expected ${named}a whole number from 0${labels === undefined ? '' : ` to ${labels - 1}`}, found ${quoted(label)}`,
    );
  };
}
