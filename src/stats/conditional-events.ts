/**
 * E2: is the candidate's rate of bad events more than `ratio` times the reference's, under random assignment?
 *
 * Looks at bad events only. Given that one happened, it fell on the candidate with a probability that depends on the known
 * odds of assignment and on the ratio of the two rates, not on how high the rates are: an incident that hits both arms
 * changes nothing, and evidence from steps with different shares multiplies.
 *
 * Source of the idea: Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data" (arXiv 2011.03567); this is the
 * one-sided form for two arms, with a margin. Valid if each unit of assignment counts at most once.
 */
import { HARM_MULTIPLES } from './bets.ts';
import { countLog } from './log-sum-exp.ts';
import { evenMixture, type Mixture } from './mixture.ts';

/** Bad events seen while a unit went to the candidate with probability `odds` (given that it went to one of the two). */
export type ExposedEvents = {
  readonly odds: number;
  readonly candidate: number;
  readonly reference: number;
};

const SAFE_MULTIPLES = [0, 0.25, 0.5, 0.75, 0.9];

/** Evidence that the candidate's rate is above `ratio` times the reference's. */
export function harmOfEvents(events: readonly ExposedEvents[], ratio: number): Mixture {
  return mixtureOver(events, ratio, HARM_MULTIPLES);
}

/** Evidence that the candidate's rate is below `ratio` times the reference's. */
export function safeOfEvents(events: readonly ExposedEvents[], ratio: number): Mixture {
  return mixtureOver(events, ratio, SAFE_MULTIPLES);
}

/** E2 for chosen alternatives, each a multiple of `ratio`. */
export function mixtureOver(
  events: readonly ExposedEvents[],
  ratio: number,
  multiples: readonly number[],
): Mixture {
  if (!(ratio > 0)) throw new RangeError(`ratio must be above 0, not ${ratio}`);
  const pooled = poolByOdds(events);
  return evenMixture(
    multiples.map((multiple) => {
      let sum = 0;
      for (const seen of pooled) {
        const within = candidateShare(seen.odds, ratio);
        const other = candidateShare(seen.odds, ratio * multiple);
        sum += countLog(seen.candidate, other / within);
        sum += countLog(seen.reference, (1 - other) / (1 - within));
      }
      return sum;
    }),
  );
}

/** One entry for each odds, in their order: whole counts add exactly, and the sum of logarithms then has one order only. */
function poolByOdds(events: readonly ExposedEvents[]): readonly ExposedEvents[] {
  const pooled = new Map<number, ExposedEvents>();
  for (const { odds, candidate, reference } of events) {
    const so = pooled.get(odds);
    pooled.set(odds, {
      odds,
      candidate: candidate + (so?.candidate ?? 0),
      reference: reference + (so?.reference ?? 0),
    });
  }
  return [...pooled.values()].sort((a, b) => a.odds - b.odds);
}

/** P(an event fell on the candidate), if its rate is `ratio` times the reference's. */
function candidateShare(odds: number, ratio: number): number {
  if (!(odds > 0 && odds < 1)) throw new RangeError(`odds must be between 0 and 1, not ${odds}`);
  return (odds * ratio) / (odds * ratio + 1 - odds);
}
