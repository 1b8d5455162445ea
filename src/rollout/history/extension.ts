import { type Refusal, refused } from '../../core/refusal.ts';
import {
  type Command,
  endedOutOfTime,
  isFinal,
  type Phase,
  type Rollout,
} from '../../core/rollout.ts';

/** A trial, and the step that it is in, or was in when it ended. */
export type Extendable = { readonly rollout: Rollout; readonly step: number };

export type Extend = Extract<Command, { kind: 'extend' }>;

/** Why a trial cannot be given more time, as far as it is the trial's own doing; undefined: it can. */
export function refusalOfExtension(
  trial: Extendable | undefined,
  model: string,
): Refusal | undefined {
  if (trial === undefined) return refused('no_rollout', `no rollout of ${model} yet`);
  const { id, phase } = trial.rollout;
  if (!isFinal(phase) || endedOutOfTime(trial.rollout)) return undefined;
  return refused(
    'no_rollout',
    `rollout ${id} has ended (${phase.kind}): expected one that is running, or that maxDuration ended. Start another`,
  );
}

/**
 * The trial with so much more time from this moment on (wall clock, milliseconds), and never less than it had. One that waits for
 * nothing but time continues in its step; one that is paused for another reason stays so; a holdback lasts longer. Evidence is valid
 * however long it is gathered, so it all counts.
 */
export function extended(trial: Extendable, { forMs }: Extend, atMs: number): Rollout {
  const { rollout } = trial;
  const fromNowMs = Math.max(0, atMs - rollout.startedMs) + forMs;
  const maxDurationMs = Math.max(rollout.spec.maxDurationMs, fromNowMs);
  return {
    ...rollout,
    spec: { ...rollout.spec, maxDurationMs },
    phase: phaseAfter(trial, forMs, atMs),
  };
}

function phaseAfter({ rollout, step }: Extendable, forMs: number, atMs: number): Phase {
  const { phase, spec, startedMs } = rollout;
  const goesOn: Phase = { kind: 'progressing', step, sinceMs: atMs };
  if (isFinal(phase)) return goesOn;
  if (phase.kind === 'holdback')
    return { ...phase, untilMs: Math.max(phase.untilMs, atMs + forMs) };
  if (phase.kind !== 'paused' || phase.isByCommand === true) return phase;
  if (spec.steps[phase.step]?.kind === 'pause') return phase;
  return phase.sinceMs - startedMs >= spec.maxDurationMs ? goesOn : phase;
}
