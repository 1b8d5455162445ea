import { messageOf } from '../core/errors.ts';
import type { Evidence } from '../core/evidence.ts';
import { judgedSpec } from '../core/holdback.ts';
import type { Decision, Rollout, RolloutSpec } from '../core/rollout.ts';
import type { MetricName, Verdict } from '../core/verdict.ts';
import { stepOf } from './advance.ts';
import { nextAction } from './next-action.ts';
import { requiredMetrics } from './required-metrics.ts';

/** Evidence and what is asked of it, to a verdict. Pure: the same evidence gives the same verdict, on any machine. */
export type Decide = (question: {
  readonly evidence: Evidence;
  readonly spec: RolloutSpec;
  readonly require: readonly MetricName[];
}) => Verdict;

export type Judged = {
  readonly rollout: Rollout;
  readonly evidence: Evidence;
  readonly atMs: number;
};

/**
 * One decision, as the controller takes it and as replay takes it again. Should `decide` throw, that is a measurement that
 * failed: the verdict is `error`, and the rollout pauses.
 */
export function judge(decide: Decide, { rollout, evidence, atMs }: Judged): Decision {
  const spec = judgedSpec(rollout);
  const isWatch = rollout.phase.kind === 'holdback';
  const require = isWatch ? [] : requiredMetrics(spec, stepOf(rollout.phase));
  const found = decideSafely(decide, { evidence, spec, require });
  const verdict = isWatch ? ofWatch(found) : found;
  return { atMs, verdict, action: nextAction({ rollout, verdict, evidence, nowMs: atMs }) };
}

/** Nothing has to be shown in a holdback, so nothing is missing for it. */
function ofWatch(verdict: Verdict): Verdict {
  const isOpen = verdict.kind === 'inconclusive' || verdict.kind === 'pass';
  return isOpen ? { ...verdict, kind: 'inconclusive', reasons: [] } : verdict;
}

function decideSafely(decide: Decide, question: Parameters<Decide>[0]): Verdict {
  try {
    return decide(question);
  } catch (error) {
    return { kind: 'error', metrics: [], decidedBy: [], reasons: [messageOf(error)] };
  }
}
