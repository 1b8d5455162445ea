import type { RolloutSpec } from '../../core/rollout.ts';
import type { MetricName } from '../../core/verdict.ts';
import { withAnchorLoss } from '../../decide/metric-plans.ts';

/**
 * What has to be proven non-inferior before this step may be left. An analysis asks for its own metrics; a promotion for
 * those of every analysis of the rollout, once more and together; other steps look ahead to the next of these, so that the
 * verdict always says how far the trial has come.
 */
export function requiredMetrics(spec: RolloutSpec, step: number): readonly MetricName[] {
  for (const ahead of spec.steps.slice(step)) {
    if (ahead.kind === 'analysis') return withAnchorLoss(ahead.require, spec);
    if (ahead.kind === 'promote') break;
  }
  return everRequired(spec);
}

/** The metrics that some analysis of the rollout requires, each once. */
export function everRequired(spec: RolloutSpec): readonly MetricName[] {
  const all = spec.steps.flatMap((step) => (step.kind === 'analysis' ? step.require : []));
  return withAnchorLoss(new Set(all), spec);
}
