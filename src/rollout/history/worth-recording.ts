import type { Evidence } from '../../core/evidence.ts';
import type { HookAnswers } from '../../core/hook-answers.ts';
import type { Decision } from '../../core/rollout.ts';
import { metricLabel } from '../../decide/metric-plans.ts';
import { answersKey } from '../action/confirmation.ts';
import type { Trial } from './history.ts';
import { changeBetween } from './json-change.ts';
import { withoutUnits } from './new-units.ts';

/** A checkpoint waits for this part of the rollout's age, so that a day-long trial keeps hundreds of records, not thousands. */
const CHECKPOINT_AGE_RATIO = 0.01;

/**
 * Whether a look is recorded: always if something is to be done, a finding changed or a webhook said something else, else once in a while if there is
 * new evidence. What was seen since the last record is all that a `kill -9` can lose: `checkpointMs`, or 1 % of the trial.
 */
export function isWorthRecording(
  trial: Trial,
  look: {
    readonly evidence: Evidence;
    readonly decision: Decision;
    readonly hooks: HookAnswers | undefined;
  },
  checkpointMs: number,
): boolean {
  const { evidence, decision } = look;
  if (decision.action.kind !== 'wait' || trial.decision === undefined) return true;
  if (findingsOf(decision) !== findingsOf(trial.decision)) return true;
  if (answersKey(look.hooks) !== answersKey(trial.hooks)) return true;
  const { heldBackSinceMs, startedMs } = trial.rollout;
  const ageMs = decision.atMs - (heldBackSinceMs ?? startedMs);
  const dueMs = Math.max(checkpointMs, CHECKPOINT_AGE_RATIO * ageMs);
  // The wall clock may have been set back: then the last record lies ahead.
  if (Math.abs(decision.atMs - trial.decision.atMs) < dueMs) return false;
  // A unit that counts changes a count as well.
  const changed = changeBetween(withoutUnits(trial.evidence), withoutUnits(evidence));
  return Object.keys(changed).length > 0;
}

function findingsOf({ verdict }: Decision): string {
  const findings = verdict.metrics.map((status) => `${metricLabel(status)}=${status.finding}`);
  return [verdict.kind, ...findings.sort()].join(' ');
}
