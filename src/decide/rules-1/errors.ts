import type { Evidence } from '../../core/evidence.ts';
import type { RolloutSpec } from '../../core/rollout.ts';
import type { Judgement } from '../judgement.ts';
import { judgeLiveEvents } from './live-events.ts';

/** Whether more units get a failure from the candidate than from the reference. */
export function judgeErrors(evidence: Evidence, { margins }: RolloutSpec): Judgement {
  return judgeLiveEvents(evidence, { event: 'errors', ...margins.errors, evenOnly: false });
}
