import type { RolloutSection } from '../../src/config/rollout-section.ts';
import type { LabelPlan } from '../../src/core/label-evidence.ts';
import type { Random } from '../../src/core/random.ts';
import type { Arm } from '../../src/core/route.ts';
import type { Contestant } from '../../src/trials/comparable.ts';
import type { Answer } from './answer.ts';

/**
 * What is true of the candidate, and so which decisions would be wrong.
 *
 * - `fair`: within every margin. A rollback is wrong.
 * - `margin`: exactly at a margin, the hardest case. A rollback and a promotion are both wrong.
 * - `worse`: beyond a margin. A promotion is wrong.
 * - `liar`: the world breaks an assumption that the documentation names. Its figures are published, nothing is promised.
 */
export type Claim = 'fair' | 'margin' | 'worse' | 'liar';

/** One request of a world: what each version would answer, and its label. Each method is called once at most per version. */
export type WorldRequest = {
  /** Milliseconds since the request before. */
  readonly gapMs: number;
  /** The sticky key; undefined: the request is a unit of its own. */
  readonly unit?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** Requests of the same content have the same bytes; undefined: like no other. */
  readonly content?: string | undefined;
  /** What the arm that it was sent to answers. */
  readonly live: (arm: Arm) => Answer;
  /** What candidate and twin answer in the shadow host, given stable's live answer. */
  readonly shadow: (stable: Answer) => Shadowed;
  /** The label that its answer gets, and when, counted from the request; undefined: none. `served`: the answer that was given. */
  readonly label?: ((served: Answer) => Label | undefined) | undefined;
};

/** `run`: of the shadow host; requests of one run share it. A run of its own where absent. */
export type Shadowed = {
  readonly candidate: Answer;
  readonly twin: Answer;
  readonly run?: number;
  /** Where the world's model has an anchor that is neither of the two. */
  readonly anchor?: Answer;
};

export type Label = {
  /** The number of the right class, or what else the answers of the world's own models are labelled with. */
  readonly class: unknown;
  readonly afterMs: number;
  /** A second label of the same answer, and when it comes; absent: none does. */
  readonly again?: Omit<Label, 'again'>;
};

/** Where the requests of one run come from, one after another. `nowMs`: when the last one was sent. */
export type Nature = { readonly next: (nowMs: number) => WorldRequest };

/** One situation whose truth is known. */
export type World = {
  /** Names its row and its file of results: lower case, words joined by hyphens. */
  readonly name: string;
  /** What is true in it, in one sentence. */
  readonly about: string;
  readonly claim: Claim;
  /** Keys of the rollout's configuration; what is left out has its default. Durations are in milliseconds. */
  readonly rollout: RolloutSection;
  /** As the model's `labels` section declares it; absent: no window is declared, and labels prove nothing. */
  readonly labels?: LabelPlan;
  /** Requests of one run at most. A trial that has not ended by then is undecided. */
  readonly requestsMax: number;
  /** A fresh source for each run; all chance comes from `random`. */
  readonly nature: (random: Random) => Nature;
  /** What the repository knows of each version, where its answers are not the class scores of `answer.ts`. */
  readonly contestant?: (version: string) => Contestant;
  /** The model's anchor is a third version, which answers copies too. */
  readonly hasAnchor?: boolean;
  /** Attributes that requests carry; slices may use them. */
  readonly attributes?: readonly string[];
  /** The gateway restarts after so many requests, each time. */
  readonly restartEvery?: number;
  /** A candidate that was not promoted is tried again, up to so many times in all; once where absent. */
  readonly attempts?: number;
  /** Milliseconds between two looks; 1,000 where absent. The real controller looks about as often. */
  readonly lookEveryMs?: number;
  /** A wrong decision is more frequent here than the budget allows: why, and what a user does about it. */
  readonly knownBeyond?: string;
};
