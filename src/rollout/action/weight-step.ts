import type { Evidence } from '../../core/evidence.ts';
import { type Rollout, type RolloutSpec, rulesOf } from '../../core/rollout.ts';
import { ageText, countText, durationText } from '../../core/text.ts';
import { type ClaimStatus, stepClaims, type WeightStep } from '../../decide/step-claims.ts';
import { candidateRequests } from './advance.ts';
import { stepLook } from './step-evidence.ts';

/** A `setWeight` step that a rollout is in, and since when (wall clock, milliseconds). */
export type WeightPlace = { readonly step: WeightStep; readonly sinceMs: number };

export type WeightLook = {
  readonly rollout: Rollout;
  readonly evidence: Evidence;
  readonly nowMs: number;
};

/** Whether the share may grow, and on what, or what it waits for. */
export type WeightState = {
  readonly isDone: boolean;
  /** `5 % to the candidate: errors rate < 10 x reference plus 1 % not shown yet, about 300 more samples`. */
  readonly text: string;
};

/**
 * Whether a `setWeight` step has seen enough for the next share: what it has to show is shown by its own evidence, it has lasted
 * `minDuration`, and the candidate has answered `minRequests`. Under the first rules the count alone decides.
 */
export function weightState(look: WeightLook, { step, sinceMs }: WeightPlace): WeightState {
  const { rollout, evidence, nowMs } = look;
  const { spec } = rollout;
  const share = `${step.percent} % to the candidate`;
  const answered = candidateRequests(evidence) - rollout.candidateRequestsAtStep;
  const count = `${countText(answered)} of ${countText(spec.minRequests)} requests answered`;
  if (rulesOf(spec) === 1) {
    const isDone = answered >= spec.minRequests;
    return { isDone, text: `${share}: ${count}${isDone ? ', nothing worse' : ''}` };
  }
  const claims = stepClaims(stepLook(rollout, evidence, step), step);
  const leftMs = sinceMs + (spec.minDurationMs ?? 0) - nowMs;
  const open = claims.filter(({ isShown }) => !isShown).sort(byToGo);
  const needs: readonly Need[] = [
    ...open.map((claim) => ({ name: claim.metric, text: needText(claim) })),
    ...(answered < spec.minRequests ? [{ name: 'minRequests', text: count }] : []),
    ...(leftMs > 0 ? [{ name: 'minDuration', text: durationNeed(leftMs, spec) }] : []),
  ];
  if (needs.length > 0) return { isDone: false, text: `${share}: ${needsText(needs)}` };
  const shown = claims.map(({ metric, margin, samples }) => {
    return `${metric} ${margin} (${countText(samples)} samples)`;
  });
  const seen = [...shown, `${countText(answered)} requests answered`, 'nothing worse'];
  return { isDone: true, text: `${share}: ${seen.join(', ')}` };
}

type Need = { readonly name: string; readonly text: string };

/** The first with numbers, the others by name. */
function needsText([first, ...rest]: readonly Need[]): string {
  const also = rest.length === 0 ? '' : `; also ${rest.map(({ name }) => name).join(', ')}`;
  return `${first?.text ?? ''}${also}`;
}

/** What lacks most comes first, and before it what cannot be said. */
function byToGo(a: ClaimStatus, b: ClaimStatus): number {
  const [mine, other] = [a, b].map(({ samplesToGo = Number.MAX_VALUE }) => samplesToGo);
  return (other ?? 0) - (mine ?? 0);
}

function durationNeed(leftMs: number, { minDurationMs = 0 }: RolloutSpec): string {
  return `another ${ageText(leftMs)} of minDuration ${durationText(minDurationMs)}`;
}

/** What a claim lacks: what is missing for more, or how many samples more. */
function needText({ metric, margin, missing, samplesToGo }: ClaimStatus): string {
  const more =
    samplesToGo === undefined ? 'cannot say how many more' : `about ${countText(samplesToGo)} more`;
  return `${metric} ${margin} not shown yet, ${missing ?? `${more} samples`}`;
}
