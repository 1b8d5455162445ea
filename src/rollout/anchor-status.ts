import { type Anchor, type AnchorHeld, type AnchorStatus, spentSince } from '../core/anchor.ts';
import { type Evidence, NO_ANCHOR } from '../core/evidence.ts';
import type { Rollout, RolloutSpec } from '../core/rollout.ts';
import type { VersionState } from '../core/version.ts';
import { metricPlans } from '../decide/metric-plans.ts';
import { readDifferences } from '../decide/value-counts.ts';

/** A rollout, with what is known of the anchor in it. */
export type AnchorSeen = {
  readonly rollout: Rollout;
  readonly evidence: Evidence;
  readonly state: VersionState | undefined;
};

/** An anchor as a rollout shows it. */
export function anchorStatusOf(anchor: Anchor, seen: AnchorSeen): AnchorStatus {
  const { spec, phase } = seen.rollout;
  const { version, sinceMs, by, why } = anchor;
  const isStable = phase.kind === 'promoted' || phase.kind === 'holdback';
  const stable = isStable ? spec.candidate : spec.stable;
  const allowed = spec.margins.labelledLoss;
  const held = heldOf(seen);
  const status = { version, sinceMs, by, why, spent: spentSince(anchor, stable), allowed };
  return held === undefined ? status : { ...status, held };
}

/** Undefined where the anchor is one of the two versions on trial, or the rollout began before there was one. */
function heldOf({ rollout: { spec }, evidence, state }: AnchorSeen): AnchorHeld | undefined {
  const { anchor, anchorShare: share = 0, stable, candidate } = spec;
  if (anchor === undefined || anchor.version === stable || anchor.version === candidate)
    return undefined;
  const { answered, failed, disagreement } = evidence.anchor ?? NO_ANCHOR;
  const mean = readDifferences(disagreement, { lower: 0, upper: 1 })?.mean;
  return { claim: claimOf(spec, share), share, state, answered, failed, disagreement: mean };
}

function claimOf(spec: RolloutSpec, share: number): AnchorHeld['claim'] {
  if (share === 0) return 'off';
  const plan = metricPlans(spec).find(({ key }) => key.metric === 'anchorLoss');
  if (plan === undefined) return 'unlabelled';
  return plan.role === 'gate' ? 'required' : 'reject';
}
