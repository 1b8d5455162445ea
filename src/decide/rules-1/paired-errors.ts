import type { Evidence } from '../../core/evidence.ts';
import { pairedErrorsClaim, type RolloutSpec } from '../../core/rollout.ts';
import type { Judgement } from '../judgement.ts';
import { brief, judgeMean } from '../mean-difference.ts';

/** Whether the candidate fails more often than stable on the same requests. */
export function judgePairedErrors(evidence: Evidence, spec: RolloutSpec): Judgement {
  const margin = pairedErrorsClaim(spec.margins).absolute;
  return judgeMean({
    bets: 'first',
    counts: evidence.pairedErrors,
    lower: -1,
    upper: 1,
    limit: margin,
    margin: `failure rate minus stable's < ${brief(margin)}`,
    none: 'no compared pairs',
  });
}
