import { messageOf } from '../../core/errors.ts';
import type { Evidence } from '../../core/evidence.ts';
import { judgedSpec, partSpec } from '../../core/holdback.ts';
import type { HookAnswers } from '../../core/hook-answers.ts';
import type { Decision, Rollout, RolloutSpec } from '../../core/rollout.ts';
import type { MetricName, Verdict } from '../../core/verdict.ts';
import { stepOf } from './advance.ts';
import { nextAction } from './next-action.ts';
import { partEvidence } from './part-evidence.ts';
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
  /** Undefined: no webhook is asked. */
  readonly hooks?: HookAnswers | undefined;
};

/**
 * One decision, as the controller takes it and as replay takes it again. Should `decide` throw, that is a measurement that
 * failed: the verdict is `error`, and the rollout pauses.
 */
export function judge(decide: Decide, { rollout, evidence, atMs, hooks }: Judged): Decision {
  const verdict =
    rollout.phase.kind === 'holdback'
      ? watchVerdict(decide, rollout, evidence)
      : stepVerdict(decide, rollout, evidence);
  return { atMs, verdict, action: nextAction({ rollout, verdict, evidence, nowMs: atMs, hooks }) };
}

function stepVerdict(decide: Decide, rollout: Rollout, evidence: Evidence): Verdict {
  const { spec, phase } = rollout;
  return decideSafely(decide, { evidence, spec, require: requiredMetrics(spec, stepOf(phase)) });
}

/** By all that a holdback has seen, and by what the present part of its time has: either may show harm. */
function watchVerdict(decide: Decide, rollout: Rollout, evidence: Evidence): Verdict {
  const spec = judgedSpec(rollout);
  const whole = ofWatch(decideSafely(decide, { evidence, spec, require: [] }));
  const seen = partEvidence(rollout, evidence);
  if (seen === undefined || whole.kind !== 'inconclusive') return whole;
  const part = decideSafely(decide, { evidence: seen, spec: partSpec(spec), require: [] });
  if (part.kind !== 'fail') return whole;
  const metrics = whole.metrics.map((status, at) => {
    const inPart = part.metrics[at];
    return inPart?.finding === 'worse' ? inPart : status;
  });
  return { ...part, metrics };
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
