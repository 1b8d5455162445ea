import { attemptShare } from '../core/attempt.ts';
import type { Evidence } from '../core/evidence.ts';
import { type RolloutSpec, rulesOf } from '../core/rollout.ts';
import { durationText, tenthsText } from '../core/text.ts';
import { METRIC_PHASE, type MetricName, type MetricStatus, type Verdict } from '../core/verdict.ts';
import { coverageGaps } from './coverage.ts';
import { statusOf } from './judgement.ts';
import { judgesOf } from './judges.ts';
import { metricLabel, metricPlans } from './metric-plans.ts';
import { sampleRatioMismatch } from './sample-ratio.ts';

export type DecideOptions = {
  readonly evidence: Evidence;
  readonly spec: RolloutSpec;
  /** What the present step needs for a `pass`. Every other metric of the plan can still fail it. */
  readonly require: readonly MetricName[];
};

/**
 * What the evidence says about a rollout, now, under the rules that it began with. A pure function of its arguments: equal
 * evidence gives an equal verdict, on any machine.
 *
 * - `fail`: some metric of the plan is proven worse, in whichever step.
 * - `error`: the split between the arms is not as assigned, so the live metrics cannot be believed.
 * - `pass`: every required metric is proven non-inferior (and `labelledLoss` better, where that is claimed), in all its slices, and the mirror saw enough of the traffic.
 * - `inconclusive`: anything else, with what is missing.
 *
 * Nothing is remembered between looks. The chance that an e-process is ever above its threshold while its null holds bounds
 * the chance that it is above it at the look that leads to an action, so acting on present values alone errs no more often.
 * What a past look showed and later evidence took back is not acted on.
 */
export function decide({ evidence, spec, require }: DecideOptions): Verdict {
  const judges = judgesOf(spec);
  const metrics = metricPlans(spec).map((plan) => {
    const { metric, slice } = plan.key;
    return statusOf(plan, judges[metric](evidence, spec, slice), spec);
  });
  const worse = metrics.filter((status) => status.finding === 'worse');
  const mismatch = sampleRatioMismatch(evidence);
  const attempt = attemptShare(spec.attempt, spec.errorBudget.falsePromotion);
  const found = { metrics, ...(attempt && { attempt }) };
  if (worse.length > 0) {
    const reasons = mismatch === undefined ? [] : [mismatch];
    return { kind: 'fail', ...found, decidedBy: worse.map(metricLabel), reasons };
  }
  if (mismatch !== undefined)
    return { kind: 'error', ...found, decidedBy: [], reasons: [mismatch] };
  const reasons = whatIsMissing({ evidence, spec, require }, metrics);
  return { kind: reasons.length === 0 ? 'pass' : 'inconclusive', ...found, decidedBy: [], reasons };
}

function whatIsMissing(
  { evidence, spec, require }: DecideOptions,
  metrics: readonly MetricStatus[],
): readonly string[] {
  const reasons = [...new Set(require)].flatMap((name) => {
    const statuses = metrics.filter((status) => status.metric === name);
    return statuses.length === 0
      ? [`${name}: no analysis step names it`]
      : statuses.filter((status) => status.finding !== 'nonInferior').map(notYet);
  });
  if (require.length === 0) reasons.push('no metric is required here');
  if (require.some((name) => METRIC_PHASE[name] === 'shadow')) {
    reasons.push(...coverageGaps(evidence.mirror, rulesOf(spec)), ...suspicions(spec, metrics));
  }
  if (spec.intent === 'improve' && !metrics.some((status) => speaksForQuality(status, spec))) {
    reasons.push(
      'a candidate that means to improve needs a required labelledLoss with labels, or a required disagreement with a trusted expectedDisagreement; there is neither',
    );
  }
  return reasons;
}

/**
 * Latency in shadow can only reject, and takes some blocks of time to do so. Until it has seen them, and as long as more than
 * half of the pairs are slower, no more traffic reaches the candidate. (The first rules rejected on a few pairs in a row.)
 */
function suspicions(spec: RolloutSpec, metrics: readonly MetricStatus[]): readonly string[] {
  if (rulesOf(spec) === 1) return [];
  return metrics.flatMap((status) => {
    const { metric, role, missing, estimate = 0 } = status;
    if (metric !== 'pairedLatency' || role !== 'reject') return [];
    const label = `${metricLabel(status)}, which may reject`;
    if (missing !== undefined) return [`${label}: ${missing}`];
    return estimate > 0.5
      ? [`${label}: slower in ${tenthsText(estimate)} of the pairs so far`]
      : [];
  });
}

/**
 * Answers are meant to change under `improve`, so something must say whether they changed for the better: a metric that gates
 * promotion and has evidence. Labels that nothing is required of, or a rate that nothing is held against, say nothing.
 */
function speaksForQuality(status: MetricStatus, spec: RolloutSpec): boolean {
  const { metric, slice, role, samples } = status;
  if (role !== 'gate' || slice !== undefined || samples === 0) return false;
  return (
    metric === 'labelledLoss' ||
    (metric === 'disagreement' && spec.expectedDisagreement !== undefined)
  );
}

function notYet(status: MetricStatus): string {
  const label = metricLabel(status);
  if (status.missing !== undefined) return `${label}: ${status.missing}`;
  const claimed = status.claim === 'superior' ? 'better' : 'no worse';
  return `${label}: not yet proven ${claimed}, ${toGoText(status)}`;
}

function toGoText({ samplesToGo, msToGo }: MetricStatus): string {
  if (samplesToGo === undefined) return 'at the present estimate more samples will not prove it';
  const much =
    msToGo === undefined ? `${samplesToGo} more samples` : `${durationText(msToGo)} more`;
  return `about ${much} at the present estimate`;
}
