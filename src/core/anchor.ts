import type { VersionState } from './version.ts';

/**
 * The version that allowed loss adds up against. Each promotion may lose a margin; measured against the version before, five in a
 * row lose five. So one version stays the measure until another is proven better than it, or a person names another.
 */
export type Anchor = {
  readonly version: string;
  /** Of its package when it became the anchor. */
  readonly digest: string;
  /** Wall clock, milliseconds. */
  readonly sinceMs: number;
  /** `first`: stable as the model's first rollout began. `superior`: proven better than the anchor before. `person`: by command. */
  readonly by: 'first' | 'superior' | 'person';
  /** Why it is the anchor, in a few words. */
  readonly why: string;
  /** How stable came from it to what it is, the oldest first; empty while the anchor is stable. */
  readonly moves: readonly AnchorMove[];
  /** `superior`: the one before, which it is again where stable goes back to before the promotion. */
  readonly before?: Omit<Anchor, 'before'>;
};

/** What a rollout takes of its model's anchor as it begins. */
export type AnchorPlan = Pick<Anchor, 'version' | 'digest'> & { readonly spent: AnchorSpent };

/** One change of stable since, by a promotion, a route or an undo. */
export type AnchorMove = {
  readonly version: string;
  readonly atMs: number;
  /** Measured loss of the version less that of stable before it; undefined: it was not measured. */
  readonly loss: number | undefined;
  /** The same less that of the anchor. */
  readonly sinceAnchor?: number | undefined;
};

/** The anchor as it is shown: how it became that, and what of the allowed loss is used. */
export type AnchorStatus = Pick<Anchor, 'version' | 'sinceMs' | 'by' | 'why'> & {
  readonly spent: AnchorSpent;
  /** Loss that is allowed since the anchor, in all. */
  readonly allowed: number;
  /** Where stable is another version: whether the candidate is held to the anchor, and what it answered so far. */
  readonly held?: AnchorHeld;
};

export type AnchorHeld = {
  /** `required` for promotion; `reject`: it can only reject; else why no claim is made: `off` (share 0), or `unlabelled`. */
  readonly claim: 'required' | 'reject' | 'off' | 'unlabelled';
  /** Percentage of the mirrored pairs. */
  readonly share: number;
  /** Where its process stands; undefined while the step mirrors nothing, and after the end. */
  readonly state: VersionState | undefined;
  readonly answered: number;
  readonly failed: number;
  /** Mean d(candidate, anchor); undefined before the first pair. */
  readonly disagreement: number | undefined;
};

/** How much of the allowed loss the changes of stable since have used, as measured. */
export type AnchorSpent = {
  /** Of stable less that of the anchor. Below 0: stable is better. */
  readonly loss: number;
  /** Changes of stable in it of which the loss was not measured. */
  readonly unmeasured: number;
};

/**
 * A loss that was measured against the anchor itself takes the place of all that was added up before.
 *
 * @param stable by default the version that the moves led to.
 */
export function spentSince(
  { version, moves }: Pick<Anchor, 'version' | 'moves'>,
  stable?: string,
): AnchorSpent {
  if (stable === version) return { loss: 0, unmeasured: 0 };
  let loss = 0;
  let unmeasured = 0;
  for (const move of moves) {
    if (move.sinceAnchor !== undefined) {
      loss = move.sinceAnchor;
      unmeasured = 0;
    } else if (move.loss === undefined) unmeasured += 1;
    else loss += move.loss;
  }
  const isKnown = stable === undefined || moves.at(-1)?.version === stable;
  return { loss, unmeasured: isKnown ? unmeasured : unmeasured + 1 };
}
