import { type Evidence, NO_EVIDENCE } from '../core/evidence.ts';
import type { LiveMark, Rollout } from '../core/rollout.ts';
import { basisPoints } from '../core/route.ts';
import type { StepLook, WeightStep } from '../decide/step-claims.ts';

/** What the evidence has of live traffic by now, for a step that begins. */
export function liveMark({ live }: Evidence): LiveMark {
  return { live };
}

/**
 * What a step of a rollout has seen of live traffic at its share, and what of it was there when the step began: the difference is the
 * step's own. It holds requests in the order of their assignment, and a request that is still under way holds back those behind
 * it, so what takes long to fail is never missing.
 */
export function stepLook(
  { liveAtStep, spec }: Rollout,
  evidence: Evidence,
  { percent }: WeightStep,
): StepLook {
  const share = `${basisPoints(percent)}:`;
  // Requests that were assigned at the share before end after this one has begun.
  const live = Object.fromEntries(
    Object.entries(evidence.live).filter(([key]) => key.startsWith(share)),
  );
  const before = liveAtStep && { ...NO_EVIDENCE, ...liveAtStep };
  return { evidence: { ...evidence, live }, before, spec };
}
