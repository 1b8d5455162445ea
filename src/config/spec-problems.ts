import type { RolloutSpec, Step } from '../core/rollout.ts';
import type { MetricName } from '../core/verdict.ts';

/** A claim, and how it is to be proven. */
export type Claim = Pick<RolloutSpec, 'intent' | 'expectedDisagreement' | 'steps'>;

export type ClaimProblem = {
  readonly path: readonly (string | number)[];
  readonly message: string;
};

/**
 * Why these steps could never prove this claim for any candidate: better said before the first request than
 * after `maxDuration`.
 */
export function claimProblems(claim: Claim): readonly ClaimProblem[] {
  return claim.intent === 'equivalent' ? untwinned(claim.steps) : unspokenFor(claim);
}

/** Disagreement is measured beyond stable's own noise, and only twins show that. */
function untwinned(steps: readonly Step[]): readonly ClaimProblem[] {
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
function unspokenFor({ steps, expectedDisagreement }: Claim): readonly ClaimProblem[] {
  const requires = (metric: MetricName): boolean =>
    steps.some((step) => step.kind === 'analysis' && step.require.includes(metric));
  if (requires('labelledLoss')) return [];
  if (requires('disagreement') && expectedDisagreement !== undefined) return [];
  const message =
    'expected an analysis of labelledLoss, or of disagreement beside an expectedDisagreement: nothing else shows that a candidate which means to improve got no worse';
  return [{ path: ['steps'], message }];
}

function names(step: Step, metric: MetricName): boolean {
  return step.kind === 'analysis' && [...step.require, ...step.reject].includes(metric);
}
