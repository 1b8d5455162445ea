/** How a trial ended. `paused`: it gave up and asks for an operator; `undecided`: the world ended first. */
export type Ending = 'promoted' | 'rolledBack' | 'paused' | 'undecided';

/** What one run of a world came to. */
export type Outcome = {
  readonly ending: Ending;
  /** Why, in the words of the rollout. */
  readonly why: string;
  /** Live requests until then. */
  readonly requests: number;
  /** Those that the candidate answered, and those of them whose caller got no right answer from it. */
  readonly candidateRequests: number;
  readonly harmed: number;
};
