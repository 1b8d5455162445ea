import type { Holdback, Rollout, RolloutSpec } from './rollout.ts';
import type { MetricName } from './verdict.ts';

/**
 * The part of the false-rollback budget that is kept for the holdback, where there is one; the trial has the rest. Fixed before the
 * first request, so the whole rollout errs no more often than its budget says.
 */
const HOLDBACK_PART = 0.5;

/** The holdback of a rollout; undefined: it has none. */
export function holdbackOf({ steps }: Pick<RolloutSpec, 'steps'>): Holdback | undefined {
  const last = steps.at(-1);
  return last?.kind === 'promote' ? last.holdback : undefined;
}

/** The probability of a false rollback that the evidence judged by this spec may use. */
export function falseRollbackOf({
  errorBudget: { falseRollback },
  steps,
}: Pick<RolloutSpec, 'errorBudget' | 'steps'>): number {
  return holdbackOf({ steps }) === undefined ? falseRollback : falseRollback * (1 - HOLDBACK_PART);
}

/**
 * What the present evidence of a rollout is judged by. From the beginning of its holdback on that is evidence of live traffic since
 * then, which can only show harm, with what the trial has left of the budget.
 */
export function judgedSpec({
  spec,
  heldBackSinceMs,
}: Pick<Rollout, 'spec' | 'heldBackSinceMs'>): RolloutSpec {
  const holdback = holdbackOf(spec);
  return heldBackSinceMs === undefined || holdback === undefined
    ? spec
    : holdbackSpec(spec, holdback);
}

/**
 * A holdback is judged twice: by all that it has seen, and by what it has seen in the present one of so many parts of its time, as
 * long healthy hours hide a fault that begins late. Each has half of the holdback's budget, and the parts share theirs.
 */
export const HOLDBACK_PARTS = 8;

/** The part of a holdback at a moment (wall clock, milliseconds), from 1. Of one that was extended the last lasts longer. */
export function holdbackPartAt(
  { sinceMs }: { readonly sinceMs: number },
  { durationMs }: Holdback,
  nowMs: number,
): number {
  const begun = Math.floor(((nowMs - sinceMs) * HOLDBACK_PARTS) / durationMs);
  return 1 + Math.min(HOLDBACK_PARTS - 1, Math.max(0, begun));
}

/** By what a part of a holdback is judged: as all of it, with its part of the budget. */
export function partSpec(judged: RolloutSpec): RolloutSpec {
  const { errorBudget } = judged;
  const falseRollback = errorBudget.falseRollback / HOLDBACK_PARTS;
  return { ...judged, errorBudget: { ...errorBudget, falseRollback } };
}

/** A holdback's own share of a rollout: no step but the watch over live traffic. */
export function holdbackSpec<Spec extends Omit<RolloutSpec, 'salt'>>(
  spec: Spec,
  holdback: Holdback,
): Spec {
  const { falseRollback } = spec.errorBudget;
  return {
    ...spec,
    slices: [],
    steps: [{ kind: 'analysis', require: [], reject: watched(spec, holdback) }],
    errorBudget: { ...spec.errorBudget, falseRollback: (falseRollback * HOLDBACK_PART) / 2 },
  };
}

/** Labels say something only where their window ends within the holdback. */
function watched(
  { labels }: Pick<RolloutSpec, 'labels'>,
  { durationMs }: Holdback,
): readonly MetricName[] {
  const hasLabels = labels !== undefined && labels.windowMs < durationMs;
  return hasLabels ? ['errors', 'slowRequests', 'liveLoss'] : ['errors', 'slowRequests'];
}
