import { type Evidence, NO_DIFFERENCES, type Slice, sliceKey } from '../core/evidence.ts';
import type { MetricDetail, ReportedMetric } from '../core/metric-detail.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import { judgeMean } from './mean-difference.ts';
import { meanDifference } from './metric-detail.ts';
import { metricLabel } from './metric-plans.ts';
import { readDifferences } from './value-counts.ts';

const RANGE = { lower: -1, upper: 1 };

/**
 * The labelled loss on the slices that a rollout only reports, in their order. They are in no verdict, so they can neither reject nor
 * hold anything back, and take no part of the error budget.
 */
export function reportedMetrics(
  evidence: Evidence,
  { reportedSlices = [] }: Pick<RolloutSpec, 'reportedSlices'>,
): readonly ReportedMetric[] {
  return reportedSlices.map((slice) => {
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
  });
}

/** Its effect, with an interval that holds for this slice at all times together. Can be interrupted where it yields. */
export function* reportedDetail(
  evidence: Evidence,
  spec: RolloutSpec,
  reported: ReportedMetric,
): Generator<void, MetricDetail> {
  const limit = spec.margins.labelledLoss;
  const counts = countsOf(evidence, reported.slice);
  const proofAt = (margin: number) =>
    judgeMean({ counts, ...RANGE, limit: margin, margin: '', none: 'no labels' }).proof;
  return { effect: yield* meanDifference(reported, { proofAt, limit }) };
}

function countsOf({ labelledLossBySlice }: Evidence, slice: Slice | undefined) {
  return (slice && labelledLossBySlice[sliceKey(slice)]) ?? NO_DIFFERENCES;
}
