import type { Evidence } from '../core/evidence.ts';
import type { RolloutSpec, Step } from '../core/rollout.ts';
import type { MetricName } from '../core/verdict.ts';
import { claimShown, type ShownClaim } from './claim-shown.ts';
import { marginText } from './linear-rule.ts';
import type { ShareMetric } from './live-shares.ts';
import { metricPlans, type PlannedBy } from './metric-plans.ts';

export type WeightStep = Extract<Step, { kind: 'setWeight' }>;

/** What a share of the traffic must have shown before it may grow, and how far that is. */
export type ClaimStatus = ShownClaim & {
  readonly metric: ShareMetric;
  /** As a status shows it: `rate < 10 x reference plus 1 %`. */
  readonly margin: string;
};

/** Up to this percentage of the traffic the candidate must be shown to be at most so many times as bad as the reference. */
const FOLDS = [
  { percentMax: 5, fold: 10 },
  { percentMax: 25, fold: 5 },
] as const;

/**
 * What a `setWeight` step must show before it is left: for each metric of live traffic that the rollout names, that the candidate
 * is within the margin times a factor. The factor falls as the share grows: 10 / ratio up to 5 %, 5 / ratio up to 25 %, where
 * `ratio` is the margin's own. Beyond 25 % nothing is asked: there an analysis decides. It is never a verdict, and costs no part
 * of the error budget: nothing is promoted on it.
 *
 * Slow requests are claimed by units, as errors are, and not by blocks of time as they are judged: so many blocks as a verdict takes
 * would hold each share for minutes at any rate.
 */
export function stepClaims(
  { evidence, before, spec }: StepLook,
  step: WeightStep,
): readonly ClaimStatus[] {
  const fold = foldAt(step.percent);
  if (fold === undefined) return [];
  return claimedMetrics(spec, step).map((metric) => {
    const factor = factorOf(spec, metric, fold);
    const { ratio, absolute } = spec.margins[metric];
    const margin = marginText({ ratio: factor * ratio, absolute: factor * absolute });
    return { metric, margin, ...claimShown({ evidence, before, spec, metric, factor }) };
  });
}

/** What has been seen at a step's share, and what of that when the step began. */
export type StepLook = {
  readonly evidence: Evidence;
  readonly before: Evidence | undefined;
  readonly spec: RolloutSpec;
};

/** How many times as bad as the reference is too bad at this share; undefined: an analysis decides there. */
export function foldAt(percent: number): number | undefined {
  return FOLDS.find(({ percentMax }) => percent <= percentMax)?.fold;
}

/** The metrics that a step of this rollout has something to show for: those of live traffic, where both arms have the same share. */
export function claimedMetrics(
  spec: PlannedBy,
  { percent, control }: WeightStep,
): readonly ShareMetric[] {
  if (!control && percent !== 50) return [];
  return metricPlans(spec)
    .flatMap(({ key }) => (key.slice === undefined ? key.metric : []))
    .filter(isLive);
}

/** How many times the whole claim has to be shown. A ratio that is wider already stays. */
export function factorOf(
  { margins }: Pick<RolloutSpec, 'margins'>,
  metric: ShareMetric,
  fold: number,
): number {
  return Math.max(1, fold / margins[metric].ratio);
}

function isLive(metric: MetricName): metric is ShareMetric {
  return metric === 'errors' || metric === 'slowRequests';
}
