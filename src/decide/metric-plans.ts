import { type Slice, sliceKey } from '../core/evidence.ts';
import { anchorBeside, type RolloutSpec } from '../core/rollout.ts';
import { METRIC_NAMES, type MetricKey, type MetricName } from '../core/verdict.ts';

/** One metric, over all requests or over one slice, that a rollout is judged on from its first step to its last. */
export type MetricPlan = {
  readonly key: MetricKey;
  /** `gate` if some analysis step requires it; `reject` if it can only end the rollout. */
  readonly role: 'gate' | 'reject';
  /** Its share of the false-rollback budget. All shares add up to 1. */
  readonly weight: number;
};

/** What says which metrics a rollout is judged on. */
export type PlannedBy = Pick<
  RolloutSpec,
  'steps' | 'slices' | 'sliceMetrics' | 'stable' | 'candidate' | 'anchor' | 'anchorShare'
>;

/** These metrics, and the loss against the anchor beside that against stable, where there is an anchor to compare with. */
export function withAnchorLoss(
  names: Iterable<MetricName>,
  spec: Omit<PlannedBy, 'steps' | 'slices'>,
): readonly MetricName[] {
  const all = [...names];
  const goesWith = all.includes('labelledLoss') && anchorBeside(spec) !== undefined;
  return goesWith ? [...all, 'anchorLoss'] : all;
}

/**
 * What a rollout is judged on: every metric that some analysis step names, and of each declared slice those metrics that it gates.
 * The list depends on the spec alone, so the budget is shared out before the first request. All get equal shares: a slice
 * counts as much as a metric, or harm to few would be the hardest to prove.
 */
export function metricPlans(spec: PlannedBy): readonly MetricPlan[] {
  const required = new Set(withAnchorLoss(named(spec, 'require'), spec));
  const rejecting = new Set(withAnchorLoss(named(spec, 'reject'), spec));
  const planned = METRIC_NAMES.flatMap((metric) => {
    if (!required.has(metric) && !rejecting.has(metric)) return [];
    const role = required.has(metric) ? ('gate' as const) : ('reject' as const);
    return keysOf(metric, spec).map((key) => ({ key, role }));
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

/** What is gated in a slice: the metrics that it names, and `labelledLoss` where it names none. */
function gatedIn(
  slice: Slice,
  { sliceMetrics = {} }: Pick<RolloutSpec, 'sliceMetrics'>,
): readonly MetricName[] {
  return sliceMetrics[sliceKey(slice)] ?? ['labelledLoss'];
}

function keysOf(
  metric: MetricName,
  spec: Pick<RolloutSpec, 'slices' | 'sliceMetrics'>,
): readonly MetricKey[] {
  const overall: MetricKey = { metric, slice: undefined };
  const gated = metric === 'anchorLoss' ? 'labelledLoss' : metric;
  const slices = spec.slices.filter((slice) => gatedIn(slice, spec).includes(gated));
  const distinct = new Map(slices.map((slice) => [sliceKey(slice), slice]));
  return [overall, ...[...distinct.values()].map((slice) => ({ metric, slice }))];
}
