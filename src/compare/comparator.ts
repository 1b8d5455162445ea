import type { Difference } from '../core/comparison.ts';
import type { Tensor } from '../core/tensor.ts';

/**
 * How far the candidate's answer is from the reference's: 0 is the same, 1 is as far as can be. `undefined` where the
 * reference lacks what the comparator reads (the caller did not ask for that output, or sent no rows): such a pair says
 * nothing about agreement, and must not look like agreement.
 */
export type Score = { readonly score: number | undefined; readonly difference: Difference };

/**
 * Scores two answers to one request. Pure, and never throws on any pair of answers: a malformed candidate scores 1. The
 * reference says what was asked for, so outputs that only the candidate has are ignored.
 */
export type Comparator = {
  readonly name: string;
  readonly score: (reference: readonly Tensor[], candidate: readonly Tensor[]) => Score;
};
