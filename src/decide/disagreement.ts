import type { Evidence } from '../core/evidence.ts';
import { type RolloutSpec, rulesOf } from '../core/rollout.ts';
import type { BetRules } from '../stats/bets.ts';
import { type Judgement, missing } from './judgement.ts';
import { brief, judgeMean } from './mean-difference.ts';

/**
 * How far the candidate's answers differ from stable's. `equivalent`: beyond what stable differs from itself, on twinned
 * pairs. `improve`: beyond the rate that the gates measured offline, on all pairs.
 */
export function judgeDisagreement(evidence: Evidence, spec: RolloutSpec): Judgement {
  return spec.intent === 'equivalent'
    ? judgeExcess(evidence, spec)
    : judgeAgainstExpected(evidence, spec);
}

function judgeExcess(evidence: Evidence, spec: RolloutSpec): Judgement {
  const margin = spec.margins.disagreement;
  const untwinned = Object.keys(evidence.disagreement.up).length > 0;
  return judgeMean({
    bets: betsOf(spec),
    counts: evidence.excessDisagreement,
    lower: -1,
    upper: 1,
    limit: margin,
    margin: `mean disagreement beyond stable's own < ${brief(margin)}`,
    none: untwinned ? 'no twin pairs: set twin > 0' : 'no compared pairs',
  });
}

function judgeAgainstExpected(evidence: Evidence, spec: RolloutSpec): Judgement {
  const expected = spec.expectedDisagreement?.rate;
  const allowed = brief(spec.margins.disagreement);
  const judged = judgeMean({
    bets: betsOf(spec),
    counts: evidence.disagreement,
    lower: 0,
    upper: 1,
    limit: (expected ?? 0) + spec.margins.disagreement,
    margin: `mean disagreement < ${expected === undefined ? 'expected' : brief(expected)} + ${allowed}`,
    none: 'no compared pairs',
  });
  if (expected !== undefined) return judged;
  return {
    ...judged,
    proof: missing('no trusted expectedDisagreement: run the gates on both versions first'),
  };
}

/** The first rules have another mixture of bets. */
function betsOf(spec: RolloutSpec): BetRules {
  return rulesOf(spec) === 1 ? 'first' : 'present';
}
