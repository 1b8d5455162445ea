import { type Evidence, NO_DIFFERENCES, type Slice, sliceKey } from '../core/evidence.ts';
import type { MetricDetail, ReportedMetric } from '../core/metric-detail.ts';
import { type RolloutSpec, rulesOf, slicesOf } from '../core/rollout.ts';
import type { MetricKey, MetricName } from '../core/verdict.ts';
import { judgesOf } from './judges.ts';
import { judgeMean } from './mean-difference.ts';
import { meanDifference } from './metric-detail.ts';
import { metricLabel, metricPlans } from './metric-plans.ts';
import { evidenceOfSlice } from './slice-judgement.ts';
import { readDifferences } from './value-counts.ts';

const RANGE = { lower: -1, upper: 1 };

/** What is counted by slice beside labels. */
const COUNTED = ['disagreement', 'pairedErrors', 'errors', 'slowRequests'] as const;

/**
 * What a rollout only reports of its slices: the labelled loss of those that gate nothing, and of all slices the metrics that
 * the rollout is judged on and the slice does not gate, once it had a request. They are in no verdict, so they can neither reject nor
 * hold anything back, and take no part of the error budget.
 */
export function reportedMetrics(evidence: Evidence, spec: RolloutSpec): readonly ReportedMetric[] {
  const { reportedSlices = [] } = spec;
  const labelled = reportedSlices.map((slice) => labelledLossOf(evidence, slice));
  if (evidence.bySlice === undefined || rulesOf(spec) === 1) return labelled;
  const plans = metricPlans(spec).map(({ key }) => key);
  const gated = new Set(plans.filter(({ slice }) => slice !== undefined).map(metricLabel));
  const judged = new Set(plans.map(({ metric }) => metric));
  const counted = COUNTED.filter((metric) => judged.has(metric)).flatMap((metric) =>
    slicesOf(spec).flatMap((slice) => {
      const label = metricLabel({ metric, slice });
      if (gated.has(label) || evidence.bySlice?.[sliceKey(slice)] === undefined) return [];
      return { metric, slice, label, ...countsIn(metric, { evidence, spec, slice }) };
    }),
  );
  return [...labelled, ...counted];
}

function labelledLossOf(evidence: Evidence, slice: Slice): ReportedMetric {
  const key = { metric: 'labelledLoss', slice } as const;
  const read = readDifferences(countsOf(evidence, slice), RANGE);
  return {
    ...key,
    label: metricLabel(key),
    samples: read?.samples ?? 0,
    candidateEvents: read?.above ?? 0,
    referenceEvents: read?.below ?? 0,
    estimate: read?.mean,
  };
}

type Asked = { readonly evidence: Evidence; readonly spec: RolloutSpec; readonly slice: Slice };

function countsIn(
  metric: (typeof COUNTED)[number],
  { evidence, spec, slice }: Asked,
): Omit<ReportedMetric, keyof MetricKey | 'label'> {
  if (metric === 'slowRequests') return slowIn(evidence, slice);
  const { samples, candidateEvents, referenceEvents, estimate } = judgesOf(spec)[metric](
    evidence,
    spec,
    slice,
  );
  return { samples, candidateEvents, referenceEvents, estimate };
}

/** Requests, and the ratio of slow shares: a slice has too few in a block of time to be judged by it. */
function slowIn({ bySlice = {} }: Evidence, slice: Slice): ReturnType<typeof countsIn> {
  const [requests, slow, others, slowOthers] = bySlice[sliceKey(slice)]?.slow ?? [0, 0, 0, 0];
  const ratio = slow / requests / (slowOthers / others);
  return {
    samples: requests + others,
    candidateEvents: slow,
    referenceEvents: slowOthers,
    estimate: Number.isFinite(ratio) ? ratio : undefined,
  };
}

/**
 * Its effect where it is a mean of differences, with an interval that holds for this slice at all times together. Can be interrupted where
 * it yields.
 */
export function* reportedDetail(
  evidence: Evidence,
  spec: RolloutSpec,
  reported: ReportedMetric,
): Generator<void, MetricDetail> {
  const counts = meanCounts(evidence, spec, reported);
  if (counts === undefined) return {};
  const limit = spec.margins[marginOf(reported.metric)];
  const proofAt = (margin: number) =>
    judgeMean({ counts, ...RANGE, limit: margin, margin: '', none: 'no samples' }).proof;
  return { effect: yield* meanDifference(reported, { proofAt, limit }) };
}

function meanCounts(evidence: Evidence, spec: RolloutSpec, { metric, slice }: ReportedMetric) {
  if (metric === 'labelledLoss') return countsOf(evidence, slice);
  const isExcess = metric === 'disagreement' && spec.intent === 'equivalent';
  return isExcess ? evidenceOfSlice(evidence, slice).excessDisagreement : undefined;
}

function marginOf(metric: MetricName): 'labelledLoss' | 'disagreement' {
  return metric === 'disagreement' ? 'disagreement' : 'labelledLoss';
}

function countsOf({ labelledLossBySlice }: Evidence, slice: Slice | undefined) {
  return (slice && labelledLossBySlice[sliceKey(slice)]) ?? NO_DIFFERENCES;
}
