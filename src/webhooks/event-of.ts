import type { LedgerRecord } from '../core/record.ts';
import type { RecordedChange } from '../core/recorded-change.ts';
import type { Rollout } from '../core/rollout.ts';
import type { WebhookEvent, WebhookEventName } from '../core/webhook.ts';
import { type TaskOf, webhookRollout } from './webhook-rollout.ts';

/** Of a sentence, in characters. */
const WHY_MAX = 500;

/** What a record says that webhooks tell; undefined: nothing. `taskOf` says what a step of a rollout does. */
export function eventOf(
  { record, before, after }: RecordedChange,
  taskOf: TaskOf,
): WebhookEvent | undefined {
  const told = toldOf({ record, before, after });
  if (told === undefined) return undefined;
  const { event, why, model } = told;
  return {
    id: `msg_${record.hash.slice(0, 32)}`,
    ...{ event, atMs: record.atMs, record: record.index, why: why.slice(0, WHY_MAX) },
    model: after?.spec.model ?? model,
    rollout: after && webhookRollout(after, before?.phase.kind, taskOf),
  };
}

type Told = { readonly event: WebhookEventName; readonly why: string; readonly model?: string };

function toldOf({ record: { body }, before, after }: RecordedChange): Told | undefined {
  if (body.kind === 'command' && body.refused === undefined) {
    const { command } = body;
    if (command.kind === 'extend') return { event: 'extended', why: command.reason };
    if (command.kind === 'setRoute')
      return { event: 'routeSet', why: `stable is ${command.stable}`, model: command.model };
    if (command.kind === 'reloadConfig')
      return { event: 'configReloaded', why: `${command.actor}: ${command.reason}` };
  }
  if (after === undefined || isSamePlace(before, after)) return undefined;
  const why = body.kind === 'decision' ? body.decision.action.why : whyOf(after, body);
  const isUndone = after.phase.kind === 'rolledBack' && after.phase.decidedBy.includes('undo');
  return { event: isUndone ? 'undone' : after.phase.kind, why };
}

function isSamePlace(before: Rollout | undefined, { phase }: Rollout): boolean {
  if (before?.phase.kind !== phase.kind) return false;
  return !('step' in phase) || !('step' in before.phase) || phase.step === before.phase.step;
}

function whyOf({ phase, spec }: Rollout, body: LedgerRecord['body']): string {
  if (body.kind === 'command' && 'reason' in body.command) return body.command.reason;
  if ('why' in phase && phase.why !== undefined) return phase.why;
  if (phase.kind === 'loading') return `version ${spec.candidate} is to be tried`;
  return 'what its first step needs is loaded';
}
