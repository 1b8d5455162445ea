import { isFinal, type Phase, type Rollout } from '../core/rollout.ts';
import type { WebhookRollout } from '../core/webhook.ts';

/** What a step of a rollout does, in a few words. */
export type TaskOf = (rollout: Rollout, step: number) => string;

/** What webhooks see of a rollout. */
export function webhookRollout(
  rollout: Rollout,
  from: Phase['kind'] | undefined,
  taskOf: TaskOf,
): WebhookRollout {
  const { id, phase, spec } = rollout;
  const at = 'step' in phase && !isFinal(phase) ? phase.step : undefined;
  return {
    ...{ id, model: spec.model, stable: spec.stable, candidate: spec.candidate },
    ...{ phase: phase.kind, from },
    step:
      at === undefined
        ? undefined
        : { number: at + 1, of: spec.steps.length, task: taskOf(rollout, at) },
    decidedBy: phase.kind === 'rolledBack' ? phase.decidedBy : [],
  };
}
