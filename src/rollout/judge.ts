import { messageOf } from '../core/errors.ts';
import type { Evidence } from '../core/evidence.ts';
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
  const require = requiredMetrics(rollout.spec, stepOf(rollout.phase));
  const verdict = decideSafely(decide, { evidence, spec: rollout.spec, require });
  return { atMs, verdict, action: nextAction({ rollout, verdict, evidence, nowMs: atMs }) };
}

function decideSafely(decide: Decide, question: Parameters<Decide>[0]): Verdict {
  try {
    return decide(question);
  } catch (error) {
    return { kind: 'error', metrics: [], decidedBy: [], reasons: [messageOf(error)] };
  }
}
