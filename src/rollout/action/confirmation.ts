import type { Confirmation, HookAnswers } from '../../core/hook-answers.ts';
import type { Action } from '../../core/rollout.ts';

/** `waits for gate to confirm (answered 403: not on a Friday)`; undefined where all have, or none has to. */
export function unconfirmedText(hooks: HookAnswers | undefined): string | undefined {
  const open = (hooks?.confirm ?? []).filter(({ said }) => said !== 'yes');
  if (open.length === 0) return undefined;
  const each = open.map(({ hook, text }) => `${hook} to confirm (${text})`);
  return `waits for ${each.join(', and for ')}`;
}

/** What a webhook that wants the rollout rolled back makes of it; undefined: none does. */
export function rollBackAsked({ rollBack }: HookAnswers): Action | undefined {
  if (rollBack === undefined) return undefined;
  const { hook, reason } = rollBack;
  return { kind: 'rollBack', why: `webhook ${hook}: ${reason}`, decidedBy: ['webhook'] };
}

/** What was said, without the words that may differ each time. */
export function answersKey(hooks: HookAnswers | undefined): string {
  if (hooks === undefined) return '';
  const said = ({ hook, said: what }: Confirmation): string => `${hook}=${what}`;
  return [...hooks.confirm.map(said), hooks.rollBack?.hook ?? ''].join(' ');
}
