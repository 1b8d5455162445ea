import { type Estimate, ratioInterval } from '../src/stats/student-interval.ts';

/**
 * `inconclusive`: the A/A control shows a difference, so that the machine is too noisy to judge on; or the estimate is below the
 * floor, and its interval includes the floor.
 */
export type Verdict = 'passed' | 'failed' | 'inconclusive';

export type Judgement = {
  readonly verdict: Verdict;
  readonly ratio: Estimate;
  /** The limit over itself, in blocks of the same rounds. */
  readonly aaControl: Estimate;
};

/** The confidence of both intervals. */
export const CONFIDENCE = 0.99;
/** How far the A/A control may be from 1, as a ratio. */
const AA_RATIO_MAX = 1.05;

/**
 * Whether a ratio of which more is better has fallen below its floor. It fails only where all of its interval lies below, and passes
 * only where its best guess does not. Student's interval of the logarithms, one ratio for each round. Throws a RangeError for
 * fewer than two rounds.
 */
export function judge(
  ratios: readonly number[],
  aaRatios: readonly number[],
  floor: number,
): Judgement {
  const ratio = ratioInterval(ratios, CONFIDENCE);
  const aaControl = ratioInterval(aaRatios, CONFIDENCE);
  const differs = aaControl.lower > AA_RATIO_MAX || aaControl.upper < 1 / AA_RATIO_MAX;
  if (differs) return { verdict: 'inconclusive', ratio, aaControl };
  if (ratio.estimate >= floor) return { verdict: 'passed', ratio, aaControl };
  return { verdict: ratio.upper < floor ? 'failed' : 'inconclusive', ratio, aaControl };
}

/** The worst of several: a failure is one even if others are inconclusive. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('failed')) return 'failed';
  return verdicts.includes('inconclusive') ? 'inconclusive' : 'passed';
}
