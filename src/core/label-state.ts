import type { ServeErrorCode } from './errors.ts';

/** What became of a label that came in. */
export const LABEL_STATES = [
  /** It met the answers of its request, and counts once the label window has ended. */
  'joined',
  /** Early: its request's answers are still under way. */
  'waiting',
  /** The request has this label already. Nothing changes. */
  'duplicate',
  /** The request has another label: it counts as the worst case of its answers. */
  'conflicting',
  /** The label window of its request has ended. */
  'late',
  /** No such request is known: it is of no rollout that takes labels, or has been forgotten. */
  'unknown',
  /** Two requests have the id, so that it names neither. */
  'ambiguous',
  /** Its request was not drawn for the comparison. Nothing is wrong. */
  'notSampled',
  /** Its request was drawn, and no two answers came of it that can be compared. */
  'notComparable',
] as const;

export type LabelState = (typeof LABEL_STATES)[number];

/** Labels that came in, by what became of them; states without any are absent. */
export type LabelCounts = Readonly<Partial<Record<LabelState, number>>>;

/** In words, for the caller. */
const WHY: Readonly<Record<LabelState, string>> = {
  joined: 'the answers to the request are known; the label counts once the label window has ended',
  waiting: 'the answers to the request are still under way; the label waits for them',
  duplicate: 'the request has this label already; nothing changes',
  conflicting:
    'the request has another label; it counts as the worst case, against a promotion and against a rollback',
  late: 'the label window of the request has ended (labels.window)',
  unknown:
    'no such request is known: no rollout of the model takes labels now, or the request was before it, is of another caller, or has been forgotten',
  ambiguous:
    'ambiguous id: more than one request has it. Label such a request by its token, and send every id once',
  notSampled: 'the request was not drawn for the comparison; nothing is wrong',
  notComparable: 'the request was drawn, but no two answers came of it that can be compared',
};

/**
 * What a label is for, where two things wait for labels of one request: whichever says more. A conflict stays one, and what has
 * joined one of the two counts.
 */
export function strongerState(a: LabelState, b: LabelState): LabelState {
  return STRENGTH.find((state) => state === a || state === b) ?? a;
}

const STRENGTH: readonly LabelState[] = [
  'conflicting',
  'joined',
  'waiting',
  'duplicate',
  'late',
  'notComparable',
  'notSampled',
  'ambiguous',
  'unknown',
];

/** The counts of both, added. */
export function addLabelCounts(a: LabelCounts, b: LabelCounts): LabelCounts {
  const entries = LABEL_STATES.flatMap((state) => {
    const count = (a[state] ?? 0) + (b[state] ?? 0);
    return count === 0 ? [] : [[state, count] as const];
  });
  return Object.fromEntries(entries);
}

/** A label's state in the five words that answers had before there were states, for clients that know those alone. */
export type LabelResult = 'joined' | 'waiting' | 'notSampled' | 'unmatched' | 'duplicate';

const RESULTS: Readonly<Record<LabelState, LabelResult>> = {
  joined: 'joined',
  waiting: 'waiting',
  duplicate: 'duplicate',
  conflicting: 'duplicate',
  late: 'unmatched',
  notComparable: 'unmatched',
  notSampled: 'notSampled',
  unknown: 'notSampled',
  ambiguous: 'notSampled',
};

/** What a caller is answered that sent a label. */
export type LabelAnswer = {
  readonly result: LabelResult;
  readonly state: LabelState;
  readonly why: string;
};

/** A label that could not be taken, as a call with many answers it. */
export type RefusedLabel = {
  readonly state: 'refused';
  readonly why: string;
  readonly code: ServeErrorCode;
};

/** What a call with many labels is answered: in the order of the items, and by state. */
export type LabelBatchAnswer = {
  readonly counts: Readonly<Record<string, number>>;
  readonly items: readonly (LabelAnswer | RefusedLabel)[];
};

export function answerOfState(state: LabelState): LabelAnswer {
  return { result: RESULTS[state], state, why: WHY[state] };
}
