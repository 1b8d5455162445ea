import type { Evidence } from '../../core/evidence.ts';
import type { RolloutSpec } from '../../core/rollout.ts';
import type { Judgement } from '../judgement.ts';
import { judgeLiveEvents } from './live-events.ts';

/** Whether more units wait longer than the reference's past quantile with the candidate than with the reference. */
export function judgeSlowRequests(evidence: Evidence, { margins }: RolloutSpec): Judgement {
  const { ratio, absolute } = margins.slowRequests;
  return judgeLiveEvents(evidence, { event: 'slow', ratio, absolute, evenOnly: true });
}
