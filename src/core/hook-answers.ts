import type { Rollout } from './rollout.ts';

/** What one webhook that is asked to confirm a promotion has said last. */
export type Confirmation = {
  readonly hook: string;
  /** `nothing`: it has not answered yet, or could not be asked. */
  readonly said: 'yes' | 'no' | 'nothing';
  /** The answer in words: `answered 403: not on a Friday`. */
  readonly text: string;
};

/** What webhooks have said of a rollout: part of what a decision rests on, and on record with it. */
export type HookAnswers = {
  /** One for each webhook that has to confirm a promotion. */
  readonly confirm: readonly Confirmation[];
  /** The webhook that wants the rollout rolled back, and why; absent: none does. */
  readonly rollBack?: { readonly hook: string; readonly reason: string };
};

/** Webhooks that are asked, as the deciding side sees them. Neither function waits nor throws. */
export type RolloutHooks = {
  /** Undefined: no webhook is asked about this model. */
  readonly answers: (rollout: Rollout) => HookAnswers | undefined;
  /**
   * To be called at each look. `proven`: what a promotion would rest on; undefined: none is due, and what was confirmed before
   * counts no more.
   */
  readonly ask: (rollout: Rollout, proven: string | undefined) => void;
};
