import type { Evidence } from '../core/evidence.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import {
  type ExposedShares,
  harmOfClaim,
  type LinearClaim,
  safeOfClaim,
} from '../stats/linear-claim.ts';
import { lesser, logEvidence, type Mixture } from '../stats/mixture.ts';
import { eventClaims, feltTotals, liveEvents } from './event-size.ts';
import { type Judgement, missing, type Proof } from './judgement.ts';
import { armTotals, linearProof, marginText, ratioOfShares } from './linear-rule.ts';
import { type LiveShares, liveShares } from './live-shares.ts';
import { brief } from './mean-difference.ts';
import { outlookOfClaim } from './outlook.ts';

/**
 * Whether more of the candidate's units fail than the claim allows: at most `ratio` x the reference's rate plus `absolute`.
 *
 * A burst of failures counts as one event, so that it does not look like many coins. That must not hide a candidate which fails
 * for everyone now and then, or fails users who have counted already: it is no worse only if its plain share of failed requests
 * is within the limit as well.
 *
 * An arm's own pauses do not depend on its share, and so weigh more in the smaller arm. So "no worse" looks only where both
 * arms had the same share, and "worse" also where the candidate had the larger one, which can only hide what it does.
 */
export function judgeErrors(evidence: Evidence, { margins }: RolloutSpec): Judgement {
  const claim = margins.errors;
  const seen = liveShares('errors', evidence)?.filter(({ odds }) => odds >= 0.5);
  const [candidate, reference] = [
    armTotals(seen ?? [], 'candidate'),
    armTotals(seen ?? [], 'reference'),
  ];
  return {
    samples: candidate.units + reference.units,
    candidateEvents: candidate.bad,
    referenceEvents: reference.bad,
    estimate: ratioOfShares(seen ?? []),
    margin: marginText(claim),
    proof: proofOf(seen, evidence, claim),
  };
}

function proofOf(
  seen: readonly LiveShares[] | undefined,
  evidence: Evidence,
  claim: LinearClaim,
): Proof {
  if (seen === undefined) return missing('the live counts are not whole and consistent');
  for (const arm of ['candidate', 'reference'] as const) {
    if (armTotals(seen, arm).units === 0) return missing(whyNoUnit(arm, evidence));
  }
  const whole = linearProof(seen, claim);
  if (whole.kind === 'missing') return whole;
  const { harm, safe } = eventClaims(liveEvents(seen, evidence), claim);
  const logRelaxed =
    harm.ratio === claim.ratio ? whole.logHarm : logEvidence(harmOfClaim(seen, harm));
  const even = seen.filter(isEven);
  const safeOf = (shares: readonly ExposedShares[]): Mixture =>
    lesser(safeOfClaim(shares, claim), safeOfClaim(shares, safe));
  return {
    kind: 'evidence',
    logHarm: Math.min(whole.logHarm, logRelaxed),
    safe: safeOf(even),
    outlook: outlookOfClaim(even, claim, (later) => logEvidence(safeOf(later))),
    held: crowding(evidence, claim),
  };
}

function isEven({ odds }: ExposedShares): boolean {
  return odds === 0.5;
}

function whyNoUnit(arm: 'candidate' | 'reference', { live }: Evidence): string {
  const isAsked = Object.values(live).some((exposure) => exposure[arm].requests > 0);
  return isAsked
    ? `no unit of the ${arm} has counted yet: one that comes again counts once its window (rollout.unit.window) has passed`
    : `no live requests of the ${arm}`;
}

/** Why the candidate is not yet believed to be no worse, regardless of its events; undefined: nothing speaks against it. */
function crowding(
  { liveFelt = {} }: Evidence,
  { ratio, absolute }: LinearClaim,
): string | undefined {
  const limit = ratio * failedShare(liveFelt, 'reference') + absolute;
  const found = failedShare(liveFelt, 'candidate');
  if (found <= limit) return undefined;
  return `${brief(found * 100)} % of the candidate's requests failed, bursts and returning users included, at most ${brief(limit * 100)} % expected`;
}

/** Of a bounded number of requests of each unit, so that one caller with many requests weighs no more than another. */
function failedShare(
  felt: NonNullable<Evidence['liveFelt']>,
  arm: 'candidate' | 'reference',
): number {
  const { requests, failed } = feltTotals(felt, arm);
  return failed / Math.max(1, requests);
}
