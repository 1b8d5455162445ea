import type { Outcome } from './outcome.ts';
import type { Claim } from './world.ts';

/** Counts of the runs of one world by one contender. They add up over shards and over resumed runs. */
export type Tally = {
  readonly runs: number;
  readonly promoted: number;
  readonly rolledBack: number;
  readonly paused: number;
  readonly undecided: number;
  /** Sums over the runs. */
  readonly requests: number;
  readonly candidateRequests: number;
  readonly harmed: number;
};

export const NO_RUNS: Tally = {
  runs: 0,
  promoted: 0,
  rolledBack: 0,
  paused: 0,
  undecided: 0,
  requests: 0,
  candidateRequests: 0,
  harmed: 0,
};

export function withOutcome(tally: Tally, outcome: Outcome): Tally {
  return {
    ...tally,
    runs: tally.runs + 1,
    [outcome.ending]: tally[outcome.ending] + 1,
    requests: tally.requests + outcome.requests,
    candidateRequests: tally.candidateRequests + outcome.candidateRequests,
    harmed: tally.harmed + outcome.harmed,
  };
}

export type Budget = { readonly falseRollback: number; readonly falsePromotion: number };

/** The decisions that are wrong in a world, with the probability that they may have. */
export function wrongDecisions(claim: Claim, budget: Budget) {
  const rollback = { decision: 'rolledBack', nominal: budget.falseRollback } as const;
  const promotion = { decision: 'promoted', nominal: budget.falsePromotion } as const;
  const wrong = {
    fair: [rollback],
    margin: [rollback, promotion],
    worse: [promotion],
    liar: [],
  } satisfies Record<Claim, readonly object[]>;
  return wrong[claim];
}

/** The most that a share with this probability may be over so many runs: three standard errors above it. */
export function shareMax(nominal: number, runs: number): number {
  return nominal + 3 * Math.sqrt((nominal * (1 - nominal)) / Math.max(1, runs));
}

/** Which wrong decisions of a world are more frequent than chance explains. */
export function beyond(claim: Claim, tally: Tally, budget: Budget): readonly string[] {
  return wrongDecisions(claim, budget)
    .filter(({ decision, nominal }) => tally[decision] / tally.runs > shareMax(nominal, tally.runs))
    .map(({ decision }) => decision);
}
