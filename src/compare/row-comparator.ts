import type { Difference } from '../core/comparison.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Comparator, Score } from './comparator.ts';
import { sameLayout } from './layout.ts';

/** Finds the tensor of a name in one of the two answers. */
export type Outputs = (name: string) => Tensor | undefined;

export type RowComparatorOptions = {
  /** The family and its settings, as shown: `regression(tolerance=0.01)`. */
  readonly name: string;
  /** The outputs that are read; the first says whether the caller asked for any of it. */
  readonly outputs: readonly [string, ...string[]];
  /** Distance up to which two rows count as the same answer. */
  readonly tolerance: number;
  /** What a row beyond it is called. */
  readonly difference: Difference;
  /** False where another shape is no other layout, as with a number of boxes; true by default. */
  readonly isFixedLayout?: boolean;
  /**
   * The distance of each row of the first dimension, at least 0, in the family's own unit. NaN: one of the two rows has NaN or an
   * infinity that the other lacks. Undefined: what is there cannot be read as this family.
   */
  readonly distances: (reference: Outputs, candidate: Outputs) => readonly number[] | undefined;
};

/**
 * The comparator of a family that measures a distance per row. The score is the share of rows that count as another answer, those
 * beyond the tolerance, so that it means the same in every family; the greatest distance goes along for people.
 */
export function rowComparator(options: RowComparatorOptions): Comparator {
  const { name, outputs } = options;
  return {
    name,
    score: (reference, candidate) => {
      const [expected, found] = [outputsIn(reference), outputsIn(candidate)];
      if (expected(outputs[0]) === undefined) return NOTHING;
      return faultOf(options, expected, found) ?? scoreRows(options, expected, found);
    },
  };
}

const NOTHING: Score = { score: undefined, difference: 'missing' };

/** The commonest case by far, and not the dearest. */
function hasSameBytes(a: Tensor | undefined, b: Tensor | undefined): boolean {
  if (a === undefined) return true;
  return b !== undefined && sameLayout(a, b) && Buffer.compare(a.data, b.data) === 0;
}

function isEmpty(tensor: Tensor | undefined): boolean {
  return tensor?.shape[0] === 0;
}

function outputsIn(tensors: readonly Tensor[]): Outputs {
  return (name) => tensors.find((tensor) => tensor.name === name);
}

/** Outputs that the reference lacks were not asked for. */
function faultOf(
  { outputs, isFixedLayout = true }: RowComparatorOptions,
  expected: Outputs,
  found: Outputs,
): Score | undefined {
  for (const output of outputs) {
    const [a, b] = [expected(output), found(output)];
    if (a === undefined) continue;
    if (b === undefined) return { score: 1, difference: 'missing' };
    const isSame = isFixedLayout
      ? sameLayout(a, b)
      : a.dtype === b.dtype && a.shape.length === b.shape.length;
    if (!isSame) return { score: 1, difference: 'shape' };
  }
  return undefined;
}

function scoreRows(options: RowComparatorOptions, expected: Outputs, found: Outputs): Score {
  const { outputs, isFixedLayout = true } = options;
  const [output] = outputs;
  // Of a set, none at all is an answer too.
  if (isFixedLayout && outputs.every((name) => hasSameBytes(expected(name), found(name)))) {
    return isEmpty(expected(output))
      ? NOTHING
      : { score: 0, difference: 'same', distances: { [output]: 0 } };
  }
  const rows = options.distances(expected, found);
  if (rows === undefined) return { score: 1, difference: 'shape' };
  return rows.length === 0 ? NOTHING : scoreOf(rows, options);
}

function scoreOf(
  rows: readonly number[],
  { outputs: [output], tolerance, ...of }: RowComparatorOptions,
): Score {
  const beyond = rows.filter((distance) => !(distance <= tolerance)).length;
  const known = rows.filter((distance) => !Number.isNaN(distance));
  const greatest = known.reduce((most, distance) => Math.max(most, distance), 0);
  const distances = { [output]: greatest };
  if (known.length < rows.length) {
    return { score: beyond / rows.length, difference: 'nonFinite', distances };
  }
  if (greatest === 0) return { score: 0, difference: 'same', distances };
  return {
    score: beyond / rows.length,
    difference: beyond > 0 ? of.difference : 'values',
    distances,
  };
}
