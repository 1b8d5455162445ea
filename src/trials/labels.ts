import type { LossRule } from '../compare/losses/loss-rule.ts';
import type { LabelledEvidence } from '../compare/window.ts';
import type { LabelState } from '../core/label-state.ts';
import type { Pair } from '../core/outcome.ts';
import type { WantedLabel } from '../core/wanted-label.ts';

/** How the versions' answers are scored against labels. */
export type Losses = {
  readonly stable: LossRule;
  readonly candidate: LossRule;
  /** Absent where no anchor answers. */
  readonly anchor?: LossRule | undefined;
};

/** The answer that a label is for, as its token names it; wall clock. */
export type AnswerOfLabel = { readonly requestId: string; readonly issuedMs: number };

/** Joins the labels of one rollout to its mirrored pairs, under the rules of the rollout. */
export type Labels = {
  /** A request was drawn for the mirror: its label may come before its pair. */
  readonly expect: (requestId: string) => void;
  /** No pair will come of a request that was drawn. */
  readonly abandon: (requestId: string) => void;
  readonly offer: (pair: Pair) => void;
  /** Throws ServeError invalid_input for a label that the model does not know. */
  readonly label: (answer: AnswerOfLabel, label: unknown) => LabelState;
  /** Drawn pairs that wait for a label; none where labels are not drawn. */
  readonly wanted: () => Iterable<WantedLabel>;
  /** All that has come of labels so far. */
  readonly snapshot: () => LabelledEvidence;
  /** Ends what runs for this; `isOver`: the rollout has ended, so nothing is kept for the next process. */
  readonly close: (isOver: boolean) => Promise<void>;
};
