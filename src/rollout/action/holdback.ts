import { HOLDBACK_PARTS, holdbackOf, holdbackPartAt } from '../../core/holdback.ts';
import type { Action, Phase, Rollout } from '../../core/rollout.ts';
import { ageText, countText, durationText } from '../../core/text.ts';
import type { Verdict } from '../../core/verdict.ts';
import { metricLabel } from '../../decide/metric-plans.ts';

export type HoldbackPhase = Extract<Phase, { kind: 'holdback' }>;

/** One look at a holdback. `nowMs` is wall-clock milliseconds; `idle`: that there is no traffic, in words. */
export type HoldbackLook = {
  readonly rollout: Rollout;
  readonly phase: HoldbackPhase;
  readonly verdict: Verdict;
  readonly nowMs: number;
  readonly idle: string | undefined;
};

/**
 * What follows from a look at a holdback in which nothing is proven worse: it comes to the next part of its time, and ends with it.
 * What cannot be measured ends nothing by itself.
 */
export function nextOfHoldback({ rollout, phase, verdict, nowMs, idle }: HoldbackLook): Action {
  const held = heldText(rollout);
  if (verdict.kind === 'error') {
    const why = verdict.reasons.join('; ') || 'no reason given';
    return { kind: 'wait', why: `${held}: could not measure: ${why}: promote or undo by hand` };
  }
  const seen = seenText(verdict);
  const leftMs = phase.untilMs - nowMs;
  if (leftMs <= 0) {
    const lastedText = durationText(phase.untilMs - phase.sinceMs);
    return { kind: 'promote', why: `${held} for ${lastedText}: ${seen}` };
  }
  const part = partDue(rollout, phase, nowMs);
  if (part !== undefined)
    return {
      kind: 'enterStep',
      step: phase.step,
      why: `${held}, part ${part} of ${HOLDBACK_PARTS} of its time: ${seen}`,
    };
  const quiet = idle === undefined ? '' : `, ${idle}`;
  return { kind: 'wait', why: `${held} for another ${ageText(leftMs)}${quiet}: ${seen}` };
}

/** The part of the holdback that begins now; undefined: none does. */
function partDue({ spec }: Rollout, phase: HoldbackPhase, nowMs: number): number | undefined {
  const holdback = holdbackOf(spec);
  const due = holdback === undefined ? 1 : holdbackPartAt(phase, holdback, nowMs);
  return due > (phase.part?.number ?? 1) ? due : undefined;
}

/** `5 % of the traffic on version 1`. */
function heldText({ spec }: Rollout): string {
  return `${holdbackOf(spec)?.percent ?? 0} % of the traffic on version ${spec.stable}`;
}

/** `nothing proven worse (errors 1,240 samples, slowRequests 12 blocks of time)`. */
function seenText({ metrics }: Verdict): string {
  const seen = metrics.map((status) => {
    const what = status.metric === 'slowRequests' ? 'blocks of time' : 'samples';
    return `${metricLabel(status)} ${countText(status.samples)} ${what}`;
  });
  return `nothing proven worse (${seen.join(', ')})`;
}

/** Why a rollout stays in its holdback, and how it is ended. */
export function heldBackText({ id, spec }: Rollout): string {
  return `rollout ${id} holds ${holdbackOf(spec)?.percent ?? 0} % of the traffic back on version ${spec.stable}: promote it to end the holdback, or undo it, first`;
}
