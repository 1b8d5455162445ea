import { type Slice, sliceKey } from '../core/evidence.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import { METRIC_NAMES, type MetricKey, type MetricName } from '../core/verdict.ts';

/** One metric, over all requests or over one slice, that a rollout is judged on from its first step to its last. */
export type MetricPlan = {
  readonly key: MetricKey;
  /** `gate` if some analysis step requires it; `reject` if it can only end the rollout. */
  readonly role: 'gate' | 'reject';
  /** Its share of the false-rollback budget. All shares add up to 1. */
  readonly weight: number;
};

/** The metrics whose evidence is kept by slice. */
const SLICED: ReadonlySet<MetricName> = new Set<MetricName>(['labelledLoss']);

/**
 * What a rollout is judged on: every metric that some analysis step names, and for those kept by slice, every declared slice.
 * The list depends on the spec alone, so the budget is shared out before the first request. All get equal shares: a slice
 * counts as much as a metric, or harm to few would be the hardest to prove.
 */
export function metricPlans(spec: Pick<RolloutSpec, 'steps' | 'slices'>): readonly MetricPlan[] {
  const required = named(spec, 'require');
  const rejecting = named(spec, 'reject');
  const planned = METRIC_NAMES.flatMap((metric) => {
    if (!required.has(metric) && !rejecting.has(metric)) return [];
    const role = required.has(metric) ? ('gate' as const) : ('reject' as const);
    return keysOf(metric, spec.slices).map((key) => ({ key, role }));
  });
  return planned.map((plan) => ({ ...plan, weight: 1 / planned.length }));
}

/** `labelledLoss`, or `labelledLoss{garment=upper,tone=dark}`. */
export function metricLabel({ metric, slice }: MetricKey): string {
  return slice === undefined ? metric : `${metric}{${sliceKey(slice)}}`;
}

function named(
  spec: Pick<RolloutSpec, 'steps'>,
  list: 'require' | 'reject',
): ReadonlySet<MetricName> {
  return new Set(spec.steps.flatMap((step) => (step.kind === 'analysis' ? step[list] : [])));
}

function keysOf(metric: MetricName, slices: readonly Slice[]): readonly MetricKey[] {
  const overall: MetricKey = { metric, slice: undefined };
  if (!SLICED.has(metric)) return [overall];
  const distinct = new Map(slices.map((slice) => [sliceKey(slice), slice]));
  return [overall, ...[...distinct.values()].map((slice) => ({ metric, slice }))];
}
