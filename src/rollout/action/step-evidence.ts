import { type Evidence, NO_EVIDENCE } from '../../core/evidence.ts';
import type { LiveMark, Rollout } from '../../core/rollout.ts';
import { basisPoints } from '../../core/route.ts';
import type { StepLook, WeightStep } from '../../decide/step-claims.ts';

/** What the evidence has of live traffic by now, for a step that begins. */
export function liveMark({ live, liveErrors = {} }: Evidence): LiveMark {
  return { live, liveErrors };
}

/** The same for a part of a holdback, whose verdict also reads how many requests an event takes along. */
export function partMark(evidence: Evidence): LiveMark {
  const { liveFelt = {} } = evidence;
  const isFelt = Object.keys(liveFelt).length > 0;
  return { ...liveMark(evidence), ...(isFelt && { liveFelt }) };
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
  const { live, liveErrors } = liveMark(evidence);
  const own = { live: atShare(live, share), liveErrors: atShare(liveErrors ?? {}, share) };
  const before = liveAtStep && { ...NO_EVIDENCE, ...liveAtStep };
  return { evidence: { ...evidence, ...own }, before, spec };
}

/** Requests that were assigned at the share before end after a step has begun. */
function atShare<Counts>(
  byExposure: Readonly<Record<string, Counts>>,
  share: string,
): Readonly<Record<string, Counts>> {
  return Object.fromEntries(
    Object.entries(byExposure).filter(([exposure]) => exposure.startsWith(share)),
  );
}
