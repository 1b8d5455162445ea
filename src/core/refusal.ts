/** Why a command cannot be carried out, by kind. */
export type RefusalCode =
  | 'unknown_model'
  | 'unknown_version'
  | 'not_comparable'
  | 'rollout_running'
  | 'no_rollout'
  | 'not_paused'
  | 'other_rollout'
  | 'revision_moved'
  | 'route_in_the_way'
  | 'invalid'
  | 'not_ready'
  | 'controller_fenced'
  | 'ledger_degraded';

/** A command that was not carried out. `why` says what was expected, what was found, and what to do. */
export type Refusal = {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  readonly why: string;
};

export function refused(code: RefusalCode, why: string): Refusal {
  return { kind: 'refused', code, why };
}
