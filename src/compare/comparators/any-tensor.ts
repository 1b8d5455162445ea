import type { ComparatorSetting } from '../../core/comparator-setting.ts';
import type { Difference } from '../../core/comparison.ts';
import { numbersOf } from '../../core/numbers.ts';
import type { Dtype, Tensor } from '../../core/tensor.ts';
import type { Comparator } from '../comparator.ts';
import { sameLayout } from '../layout.ts';

/** An element is the same while |candidate - reference| <= absolute + relative * |reference|. */
export type Tolerance = { readonly absolute: number; readonly relative: number };

const EXACT: Tolerance = { absolute: 0, relative: 0 };

/**
 * What one graph may differ by between kernels, thread counts and providers, with room. Single precision as the
 * maintainers of ONNX Runtime test their own kernels; the others in proportion to their fractions. Integers, booleans
 * and strings are exact: a class id or a box count that is off by one is another answer.
 */
const FLOAT_TOLERANCE: Partial<Record<Dtype, Tolerance>> = {
  FP64: { absolute: 1e-8, relative: 1e-8 },
  FP32: { absolute: 1e-5, relative: 1e-5 },
  FP16: { absolute: 1e-3, relative: 1e-3 },
  BF16: { absolute: 1e-2, relative: 1e-2 },
};

/** Tolerances stand in place of the defaults by dtype. */
export type AnyTensorOptions = Pick<ComparatorSetting, 'absolute' | 'relative'> & {
  /** The one output that is compared; undefined: all. */
  readonly only?: string | undefined;
  /** Outputs that are not. */
  readonly except?: readonly string[] | undefined;
};

/**
 * Works for every output: 1 if any tensor that the reference gave is missing, or differs in shape or dtype, in where it
 * is NaN or infinite, or in any element by more than the tolerance; else 0.
 */
export function anyTensor(options: AnyTensorOptions = {}): Comparator {
  const { only, except = [] } = options;
  const toleranceOf = (dtype: Dtype): Tolerance => {
    const byDtype = FLOAT_TOLERANCE[dtype] ?? EXACT;
    return {
      absolute: options.absolute ?? byDtype.absolute,
      relative: options.relative ?? byDtype.relative,
    };
  };
  return {
    name: 'anyTensor',
    score: (reference, candidate) => {
      const compared = reference.filter(
        ({ name }) => !except.includes(name) && (only === undefined || name === only),
      );
      if (compared.length === 0) return { score: undefined, difference: 'missing' };
      const byName = new Map(candidate.map((tensor) => [tensor.name, tensor]));
      for (const expected of compared) {
        const found = byName.get(expected.name);
        const difference = differenceOf(expected, found, toleranceOf(expected.dtype));
        if (difference !== 'same') return { score: 1, difference };
      }
      return { score: 0, difference: 'same' };
    },
  };
}

function differenceOf(
  expected: Tensor,
  found: Tensor | undefined,
  tolerance: Tolerance,
): Difference {
  if (found === undefined) return 'missing';
  if (!sameLayout(expected, found)) return 'shape';
  if (Buffer.compare(expected.data, found.data) === 0) return 'same';
  const isExact = tolerance.absolute === 0 && tolerance.relative === 0;
  if (isExact && !(expected.dtype in FLOAT_TOLERANCE)) return 'values';
  const [a, b] = [numbersOf(expected), numbersOf(found)];
  if (expected.dtype === 'BYTES') return 'values';
  if (a === undefined || b === undefined) return 'shape';
  return elementsDiffer(a, b, tolerance);
}

function elementsDiffer(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
  tolerance: Tolerance,
): Difference {
  let difference: Difference = 'same';
  for (let i = 0; i < reference.length; i += 1) {
    const a = reference[i] ?? Number.NaN;
    const b = candidate[i] ?? Number.NaN;
    if (Object.is(a, b)) continue;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return 'nonFinite';
    if (Math.abs(b - a) > tolerance.absolute + tolerance.relative * Math.abs(a)) {
      difference = 'values';
    }
  }
  return difference;
}
