import type { RolloutSpec, Step } from '../core/rollout.ts';
import { durationText } from '../core/text.ts';
import type { MetricName } from '../core/verdict.ts';

/** The part of a spec that is validated here: the intent, and the steps that are to prove it. */
export type ProvableSpec = Pick<RolloutSpec, 'intent' | 'claim' | 'expectedDisagreement' | 'steps'>;

export type SpecProblem = {
  readonly path: readonly (string | number)[];
  readonly message: string;
};

/**
 * Validates a spec: why its steps can never prove its intent for any candidate. Without this, a rollout would fail only
 * after `maxDuration`.
 */
export function specProblems(spec: ProvableSpec): readonly SpecProblem[] {
  const problems = spec.intent === 'equivalent' ? untwinned(spec.steps) : unspokenFor(spec);
  return [...problems, ...unlabelled(spec)];
}

/** The part of a spec that says how long things may take. */
export type TimedSpec = Pick<RolloutSpec, 'steps' | 'maxDurationMs'> & {
  readonly minDurationMs: number;
};

/** Why a rollout would run out of time regardless of what it sees: its shares and pauses alone take as long as it may last. */
export function timeProblems({
  steps,
  minDurationMs,
  maxDurationMs,
}: TimedSpec): readonly SpecProblem[] {
  const leastMs = steps.reduce((sum, step) => sum + leastMsOf(step, minDurationMs), 0);
  if (leastMs < maxDurationMs) return [];
  const message = `expected more than ${durationText(leastMs)}, which setWeight (minDuration ${durationText(minDurationMs)} each) and pause take at least, found ${durationText(maxDurationMs)}`;
  return [{ path: ['maxDuration'], message }];
}

function leastMsOf(step: Step, minDurationMs: number): number {
  if (step.kind === 'setWeight') return minDurationMs;
  return step.kind === 'pause' ? (step.durationMs ?? 0) : 0;
}

/** Disagreement is measured beyond stable's own noise, and only twins show that. */
function untwinned(steps: readonly Step[]): readonly SpecProblem[] {
  const index = steps.findIndex((step) => names(step, 'disagreement'));
  const isTwinned = steps
    .slice(0, Math.max(0, index))
    .some((step) => step.kind === 'setMirror' && step.percentage > 0 && step.twin > 0);
  if (index < 0 || isTwinned) return [];
  const message =
    'expected a setMirror with twin above 0 before an analysis of disagreement: equivalent is judged beyond how far stable differs from itself';
  return [{ path: ['steps', index], message }];
}

/** Answers are meant to change, so something that is required must say that they did not get worse. */
function unspokenFor({ steps, expectedDisagreement }: ProvableSpec): readonly SpecProblem[] {
  const requires = (metric: MetricName): boolean =>
    steps.some((step) => step.kind === 'analysis' && step.require.includes(metric));
  if (requires('labelledLoss')) return [];
  if (requires('disagreement') && expectedDisagreement !== undefined) return [];
  const message =
    'expected an analysis of labelledLoss, or of disagreement beside an expectedDisagreement: nothing else shows that a candidate which means to improve got no worse';
  return [{ path: ['steps'], message }];
}

/** Only labels tell which of two versions is better. */
function unlabelled({ claim, steps }: ProvableSpec): readonly SpecProblem[] {
  const isRequired = steps.some(
    (step) => step.kind === 'analysis' && step.require.includes('labelledLoss'),
  );
  if (claim !== 'superior' || isRequired) return [];
  const message =
    'expected an analysis of labelledLoss beside claim: superior, found none: only labels show that a candidate is better';
  return [{ path: ['claim'], message }];
}

function names(step: Step, metric: MetricName): boolean {
  return step.kind === 'analysis' && [...step.require, ...step.reject].includes(metric);
}
