import { type Estimate, ratioInterval } from '../src/stats/student-interval.ts';

/**
 * `inconclusive`: the limit differs from itself, so that nothing measured beside it can be believed; or the ratio seems to be below
 * its floor, and its interval is too wide to say so.
 */
export type Verdict = 'passed' | 'failed' | 'inconclusive';

export type Judgement = {
  readonly verdict: Verdict;
  readonly ratio: Estimate;
  /** The limit over itself. */
  readonly self: Estimate;
};

/** The confidence of both intervals. */
export const CONFIDENCE = 0.99;
/** The limit may differ from itself by so much: any two stretches of time differ a little. */
const SELF_RATIO_MAX = 1.05;

/**
 * Whether a ratio of which more is better has fallen below its floor. It fails only where all of its interval lies below, and passes
 * only where its best guess does not. Student's interval of the logarithms, one ratio for each round. Throws a RangeError for
 * fewer than two rounds.
 */
export function judge(
  ratios: readonly number[],
  selfRatios: readonly number[],
  floor: number,
): Judgement {
  const ratio = ratioInterval(ratios, CONFIDENCE);
  const self = ratioInterval(selfRatios, CONFIDENCE);
  const differs = self.lower > SELF_RATIO_MAX || self.upper < 1 / SELF_RATIO_MAX;
  if (differs) return { verdict: 'inconclusive', ratio, self };
  if (ratio.estimate >= floor) return { verdict: 'passed', ratio, self };
  return { verdict: ratio.upper < floor ? 'failed' : 'inconclusive', ratio, self };
}

/** The worst of several: a failure is one whatever else is not known. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('failed')) return 'failed';
  return verdicts.includes('inconclusive') ? 'inconclusive' : 'passed';
}
