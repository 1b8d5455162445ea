import type { Evidence, PairedFailureCounts } from '../core/evidence.ts';
import { pairedErrorsClaim, type RolloutSpec } from '../core/rollout.ts';
import { harmOfMean, safeOfMean, type ValueCounts } from '../stats/bets.ts';
import type { LinearClaim } from '../stats/linear-claim.ts';
import { lesser, logEvidence, type Mixture, shares } from '../stats/mixture.ts';
import { harmOfPairs, type PairedShares, safeOfPairs } from '../stats/paired-claim.ts';
import { type Events, eventClaims } from './event-size.ts';
import { type Judgement, missing, type Proof } from './judgement.ts';
import { marginText, whyNoClaim } from './linear-rule.ts';
import { brief } from './mean-difference.ts';
import { type PairedTotals, pairedTotals, readPairedShares } from './paired-shares.ts';

/** Of the money on harm, what is on failed answers; the rest is on time-outs. */
const ON_ANSWERS = 0.75;
/** Of the money on few time-outs, what is on all runs, those without a twin taken for the candidate's; the rest is on twinned runs. */
const ON_ALL_RUNS = 0.9;

/**
 * Whether the candidate fails more often than the claim allows on the same requests: at most `ratio` x stable's rate plus
 * `absolute`. So for failed answers per pair, and for runs that time out, of candidate and twin, per run of the shadow host.
 *
 * What fails with a whole run of the shadow host is one event, so an event's claim must be shown as well (`event-size.ts`), and the
 * candidate's plain share of failed pairs be within the limit.
 *
 * Harm: an average of two e-processes, one for each. If both are within the margin it is an e-process.
 * Safe: both must be shown, so the chance of showing it wrongly is at most the chance of showing the one that is not so.
 * Whose a time-out was is known beside a twin alone. Where runs without one never time out they prove it as well; where they
 * do, the twinned runs must.
 */
export function judgePairedErrors(evidence: Evidence, spec: RolloutSpec): Judgement {
  const claim = pairedErrorsClaim(spec.margins);
  const answers = totalsOf(evidence.pairedFailures);
  const timeouts = totalsOf(evidence.pairedTimeouts?.twinned);
  const { units = 0, candidate = 0, reference = 0 } = answers ?? {};
  const why = whyNoClaim(claim);
  return {
    samples: units,
    candidateEvents: candidate + (timeouts?.candidate ?? 0),
    referenceEvents: reference + (timeouts?.reference ?? 0),
    estimate: units === 0 ? undefined : (candidate - reference) / units,
    margin: marginText(claim, "stable's"),
    proof: why === undefined ? claimProof(evidence, claim) : missing(why),
  };
}

/**
 * As `judgePairedErrors` proves it, that the candidate's rate of failures less stable's is above or below a margin between -1 and 1:
 * what an interval of the difference is made of.
 */
export function pairedDifferenceProof(evidence: Evidence, margin: number): Proof {
  const claim = { lower: -1, upper: 1, margin };
  const tests = {
    harm: (seen: PairedShares) => harmOfMean(differencesOf(seen), claim),
    safe: (seen: PairedShares) => safeOfMean(differencesOf(seen), claim),
  };
  return proofOf(evidence, { answers: tests, timeouts: tests });
}

/** The failed units of both versions; undefined where there are none or they are not whole and consistent. */
export function pairedFailureTotals({ pairedFailures }: Evidence): PairedTotals | undefined {
  const totals = totalsOf(pairedFailures);
  return totals === undefined || totals.units === 0 ? undefined : totals;
}

function totalsOf(counts: PairedFailureCounts = {}): PairedTotals | undefined {
  const read = readPairedShares(counts);
  return read && pairedTotals(read);
}

type Tests = {
  readonly harm: (seen: PairedShares) => Mixture;
  readonly safe: (seen: PairedShares) => Mixture;
};

function claimProof(evidence: Evidence, claim: LinearClaim): Proof {
  const timeouts: Tests = {
    harm: (seen) => harmOfPairs(seen, claim),
    safe: (seen) => safeOfPairs(seen, claim),
  };
  const { harm, safe } = eventClaims(eventsOf(evidence), claim);
  const answers: Tests = {
    harm: (seen) => lesser(harmOfPairs(seen, claim), harmOfPairs(seen, harm)),
    safe: (seen) => lesser(safeOfPairs(seen, claim), safeOfPairs(seen, safe)),
  };
  const proof = proofOf(evidence, { answers, timeouts });
  return proof.kind === 'missing' ? proof : { ...proof, held: crowding(evidence, claim) };
}

function eventsOf(evidence: Evidence): Readonly<Record<'candidate' | 'reference', Events>> {
  const totals = pairedFailureTotals(evidence) ?? { units: 0, candidate: 0, reference: 0 };
  const of = (arm: 'candidate' | 'reference'): Events => {
    const { pairs = 0, [arm]: failed = 0 } = evidence.pairedFelt ?? {};
    return { units: totals.units, bad: totals[arm], requests: pairs, failed };
  };
  return { candidate: of('candidate'), reference: of('reference') };
}

/** Why the candidate is not yet believed to be no worse, regardless of its events; undefined: nothing speaks against it. */
function crowding({ pairedFelt }: Evidence, { ratio, absolute }: LinearClaim): string | undefined {
  if (pairedFelt === undefined || pairedFelt.pairs === 0) return undefined;
  const { pairs, candidate, reference } = pairedFelt;
  const [found, limit] = [candidate / pairs, (ratio * reference) / pairs + absolute];
  if (found <= limit) return undefined;
  return `${brief(found * 100)} % of the pairs were failed by the candidate, whole runs and returning users included, at most ${brief(limit * 100)} % expected`;
}

function differencesOf(seen: PairedShares): ValueCounts {
  return seen.map(([candidate, reference, count]) => [candidate - reference, count]);
}

function proofOf(
  { pairedFailures = {}, pairedTimeouts }: Evidence,
  tests: { readonly answers: Tests; readonly timeouts: Tests },
): Proof {
  const answers = readPairedShares(pairedFailures);
  const all = readPairedShares(pairedTimeouts?.all ?? {});
  const twinned = readPairedShares(pairedTimeouts?.twinned ?? {});
  if (answers === undefined || all === undefined || twinned === undefined)
    return missing('the evidence is not whole counts of failed pairs');
  if (answers.length === 0) return missing('no compared pairs');
  const few = tests.answers.safe(answers);
  const { harm, safe } = tests.timeouts;
  return {
    kind: 'evidence',
    logHarm: logEvidence([
      { logWeight: Math.log(ON_ANSWERS), logWealth: logEvidence(tests.answers.harm(answers)) },
      { logWeight: Math.log(1 - ON_ANSWERS), logWealth: logEvidence(harm(twinned)) },
    ]),
    safe: all.length === 0 ? few : lesser(few, shares(ON_ALL_RUNS, safe(all), safe(twinned))),
  };
}
