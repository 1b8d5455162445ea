import type { Evidence } from '../../core/evidence.ts';
import { holdbackOf, holdbackPartAt } from '../../core/holdback.ts';
import {
  type Action,
  type Command,
  type Phase,
  type Rollout,
  rulesOf,
} from '../../core/rollout.ts';
import { stepTask } from './describe.ts';
import type { HoldbackPhase } from './holdback.ts';
import { liveMark, partMark } from './step-evidence.ts';

/** An action with the moment (wall-clock milliseconds) and the evidence it was chosen by. */
export type Taken = { readonly action: Action; readonly atMs: number; readonly evidence: Evidence };

/** The rollout as it stands after an action that followed from a verdict. */
export function advance(rollout: Rollout, taken: Taken): Rollout {
  const { action, atMs, evidence } = taken;
  switch (action.kind) {
    case 'wait':
      return rollout;
    case 'enterStep':
      if (rollout.phase.kind === 'holdback') return nextPart(rollout, rollout.phase, taken);
      return {
        ...rollout,
        phase: phaseOfStep(rollout, action.step, atMs),
        candidateRequestsAtStep: candidateRequests(evidence),
        ...(rulesOf(rollout.spec) > 1 && { liveAtStep: liveMark(evidence) }),
      };
    case 'pause': {
      const step = stepOf(rollout.phase);
      return { ...rollout, phase: { kind: 'paused', step, sinceMs: atMs, why: action.why } };
    }
    case 'promote':
      return promoted(rollout, atMs);
    case 'rollBack': {
      const { why, decidedBy } = action;
      return { ...rollout, phase: { kind: 'rolledBack', atMs, why, decidedBy } };
    }
  }
}

/** The rollout in the next part of its holdback. */
function nextPart(rollout: Rollout, phase: HoldbackPhase, { atMs, evidence }: Taken): Rollout {
  const holdback = holdbackOf(rollout.spec);
  if (holdback === undefined) return rollout;
  const part = { number: holdbackPartAt(phase, holdback, atMs), sinceMs: atMs };
  return { ...rollout, phase: { ...phase, part }, liveAtStep: partMark(evidence) };
}

/** The rollout after a promotion: in its holdback, where it has one that has not begun yet. */
export function promoted(rollout: Rollout, atMs: number): Rollout {
  const { spec, heldBackSinceMs, liveAtStep: _, ...rest } = rollout;
  const holdback = holdbackOf(spec);
  if (holdback === undefined || heldBackSinceMs !== undefined)
    return { ...rollout, phase: { kind: 'promoted', atMs } };
  const untilMs = atMs + holdback.durationMs;
  return {
    ...rest,
    spec,
    candidateRequestsAtStep: 0,
    heldBackSinceMs: atMs,
    phase: { kind: 'holdback', step: spec.steps.length - 1, sinceMs: atMs, untilMs },
  };
}

export type Undo = Extract<Command, { kind: 'undo' }>;

/** The rollout after an operator took its promotion back. */
export function undone(rollout: Rollout, { reason: why }: Undo, atMs: number): Rollout {
  return { ...rollout, phase: { kind: 'rolledBack', atMs, why, decidedBy: ['undo'] } };
}

/** True where a holdback begins: evidence starts from nothing then. */
export function beginsHoldback(before: Rollout, after: Rollout): boolean {
  return before.heldBackSinceMs === undefined && after.heldBackSinceMs !== undefined;
}

/** The rollout as it stands once what its first step needs is ready. */
export function begun(rollout: Rollout, startedMs: number): Rollout {
  return { ...rollout, phase: { kind: 'progressing', step: 0, sinceMs: startedMs }, startedMs };
}

/** The step that an alive rollout is in; 0 for one that has ended, or is being loaded. */
export function stepOf(phase: Phase): number {
  return 'step' in phase ? phase.step : 0;
}

/** Requests that the candidate has answered, per the evidence, at all its shares together. */
export function candidateRequests(evidence: Evidence): number {
  return Object.values(evidence.live).reduce((sum, counts) => sum + counts.candidate.requests, 0);
}

/** The rollout after `pause`; of one that is paused already, the command takes the pause over. */
export function pausedByCommand(rollout: Rollout, reason: string, atMs: number): Rollout {
  const { phase } = rollout;
  const sinceMs = phase.kind === 'paused' ? phase.sinceMs : atMs;
  const why = `paused by command: ${reason}`;
  return {
    ...rollout,
    phase: { kind: 'paused', step: stepOf(phase), sinceMs, why, isByCommand: true },
  };
}

/** The rollout after `resume`. */
export function resumed(rollout: Rollout, atMs: number, evidence: Evidence): Rollout {
  const step = stepOf(rollout.phase);
  const isPauseStep = rollout.spec.steps[step]?.kind === 'pause';
  if (isPauseStep && step + 1 < rollout.spec.steps.length) {
    const action: Action = { kind: 'enterStep', step: step + 1, why: 'resumed' };
    return advance(rollout, { action, atMs, evidence });
  }
  return { ...rollout, phase: { kind: 'progressing', step, sinceMs: atMs } };
}

function phaseOfStep(rollout: Rollout, step: number, sinceMs: number): Phase {
  const entered = rollout.spec.steps[step];
  if (entered?.kind !== 'pause') return { kind: 'progressing', step, sinceMs };
  return { kind: 'paused', step, sinceMs, why: stepTask(entered) };
}
