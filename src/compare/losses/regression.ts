import { ServeError } from '../../core/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { numberRowsOf } from '../number-rows.ts';
import { type LossRule, lossByRow, quoted } from './loss-rule.ts';

export type RegressionLossOptions = {
  readonly output: string;
  /** The error that counts as wholly wrong, in the output's own unit, above 0. Declared, never learned from what it judges. */
  readonly scale: number;
  /** `absolute` by default. */
  readonly loss?: 'absolute' | 'squared' | undefined;
};

/** Values of one row: a longer one is no answer that somebody labels. */
const VALUES_MAX = 4_096;

/**
 * min(1, error / scale), or its square: the mean over the values of a row. A label is the number, or the numbers of a row. The mean
 * absolute error of a version is its mean loss times the scale, as long as errors stay below the scale.
 */
export function regressionLoss({
  output,
  scale,
  loss = 'absolute',
}: RegressionLossOptions): LossRule {
  return lossByRow<readonly number[], readonly number[]>({
    rowsOf: (outputs) => {
      const tensor = outputs.find(({ name }) => name === output);
      return tensor && (valuesPerRow(tensor) ?? 'unreadable');
    },
    isRow: (stored): stored is readonly number[] =>
      Array.isArray(stored) && stored.every((each) => typeof each === 'number' || each === null),
    labelOf: valuesOf,
    loss: (row, wanted) => {
      if (row.length !== wanted.length) {
        throw new ServeError(
          'invalid_input',
          `label: expected ${row.length} numbers for a row, found ${wanted.length}`,
        );
      }
      const sum = wanted.reduce((total, value, at) => total + lossOf(row[at], value), 0);
      return sum / wanted.length;
    },
    apart: (a, b) => {
      if (a.length !== b.length || a.length === 0) return 1;
      return a.reduce((sum, each, at) => sum + apartOf(each, b[at]), 0) / a.length;
    },
    isGraded: true,
  });

  /** Of the errors d apart, each at most 1: the errors differ by d, their squares by 1 - (1 - d)^2, towards 1. */
  function apartOf(answer: number | null, other: number | null | undefined): number {
    if (Object.is(answer, other)) return 0;
    const apart = Math.abs((answer ?? Number.NaN) - (other ?? Number.NaN)) / scale;
    if (!(apart < 1)) return 1;
    return loss === 'squared' ? apart * (2 - apart) : apart;
  }

  /** What is no number (JSON has none for NaN) is as wrong as can be. */
  function lossOf(answer: number | undefined, wanted: number): number {
    const error = Math.abs((answer ?? Number.NaN) - wanted) / scale;
    if (!(error < 1)) return 1;
    return loss === 'squared' ? error * error : error;
  }
}

function valuesPerRow(tensor: Tensor): readonly (readonly number[])[] | undefined {
  const of = numberRowsOf(tensor);
  if (of === undefined || of.width > VALUES_MAX) return undefined;
  const { values, rows, width } = of;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: width }, (__, at) => values[row * width + at] ?? Number.NaN),
  );
}

function valuesOf(label: unknown): readonly number[] {
  const values: readonly unknown[] = Array.isArray(label) ? label : [label];
  if (
    values.length > 0 &&
    values.every((each) => typeof each === 'number' && Number.isFinite(each))
  )
    return values as readonly number[];
  throw new ServeError(
    'invalid_input',
    `label: expected a number, or the numbers of a row, found ${quoted(label)}`,
  );
}
