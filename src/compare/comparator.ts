import type { Difference } from '../core/comparison.ts';
import type { Tensor } from '../core/tensor.ts';

/**
 * How far the candidate's answer is from the reference's: 0 is the same, 1 is as far as can be. `undefined` where the
 * reference lacks what the comparator reads (the caller did not ask for that output, or sent no rows): such a pair says
 * nothing about agreement, and must not look like agreement.
 */
export type Score = {
  readonly score: number | undefined;
  readonly difference: Difference;
  /** The greatest distance of a row, by output, in the unit of the output's family: shown to people, not part of a proof. */
  readonly distances?: Readonly<Record<string, number>> | undefined;
};

/**
 * Scores two answers to one request. Pure, and never throws on any pair of answers: a malformed candidate scores 1. The
 * reference says what was asked for, so outputs that only the candidate has are ignored.
 */
export type Comparator = {
  readonly name: string;
  readonly score: (reference: readonly Tensor[], candidate: readonly Tensor[]) => Score;
};

/**
 * Several outputs' comparators as one: the largest score, with its reason. An output that the reference lacks says nothing;
 * where it lacks all of them, the pair does.
 */
export function largestOf(comparators: readonly Comparator[]): Comparator {
  const [only] = comparators;
  if (comparators.length === 1 && only !== undefined) return only;
  return {
    name: comparators.map(({ name }) => name).join(' + '),
    score: (reference, candidate) => {
      const scores = comparators.map((each) => each.score(reference, candidate));
      const largest = scores.reduce((most, next) =>
        (next.score ?? -1) > (most.score ?? -1) ? next : most,
      );
      return {
        score: largest.score,
        difference: largest.difference,
        distances: Object.assign({}, ...scores.map(({ distances }) => distances)),
      };
    },
  };
}
