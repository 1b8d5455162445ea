import type { Tolerance } from '../wire/tensor.ts';

/**
 * Where ONNX Runtime is known to answer otherwise than the reference, and why. Such a test still runs: it counts as passed where
 * the answer is right, and is listed with this reason where it is not.
 */
const OTHERWISE: readonly { readonly tests: RegExp; readonly why: string }[] = [
  {
    tests: /_cast(like)?_FLOAT_to_STRING/,
    why: 'it prints more digits of a float than the shortest text that reads back',
  },
  {
    tests: /_training_dropout_?(default|mask|default_mask)?$/,
    why: 'dropout in training draws other random numbers',
  },
  {
    tests: /_resize_downsample_scales_(linear|cubic)_align_corners$/,
    why: 'it derives the scale from the rounded size',
  },
  {
    tests: /_maxunpool_export_with_output_shape$/,
    why: 'it takes the indices as those of the padded output',
  },
];

/** Fourier transforms cancel large terms: what is 0 in 64 bits is not in 32. */
const FOURIER = { tests: /_(dft|stft)/, tolerance: { absolute: 1e-3, relative: 1e-3 } } as const;

/** Why a test may fail on this runtime; undefined: it may not. */
export function knownDifference(model: string): string | undefined {
  return OTHERWISE.find(({ tests }) => tests.test(model))?.why;
}

/** The tolerance of a test whose operator needs another than its datatype has. */
export function toleranceFor(model: string): Tolerance | undefined {
  return FOURIER.tests.test(model) ? FOURIER.tolerance : undefined;
}
