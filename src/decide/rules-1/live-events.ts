import type { ArmCounts, Evidence } from '../../core/evidence.ts';
import { harmOfRate, safeOfRate } from '../../stats/bets.ts';
import { harmOfEvents, safeOfEvents } from '../../stats/conditional-events.ts';
import { halfAndHalf, logEvidence, type Mixture } from '../../stats/mixture.ts';
import { type Exposure, readExposures } from '../exposures.ts';
import { type Judgement, missing, type Proof } from '../judgement.ts';
import { brief } from '../mean-difference.ts';

export type LiveRule = {
  readonly event: 'errors' | 'slow';
  /** The candidate's rate must be below `ratio` times the reference's, or below `absolute`. */
  readonly ratio: number;
  readonly absolute: number;
  /** Look only where both arms had the same share: load slows an arm down, regardless of its version. */
  readonly evenOnly: boolean;
};

/** The units that could have had the event. */
const TRIALS = { errors: 'units', slow: 'timedUnits' } as const;

/** What every request felt, stalls and all. */
const FELT = { errors: 'erredRequests', slow: 'slowRequests' } as const;

/** Bad events of both arms, and the units that could have had one, over all exposures. */
type Totals = {
  readonly requests: { readonly candidate: number; readonly reference: number };
  readonly trials: { readonly candidate: number; readonly reference: number };
  readonly events: { readonly candidate: number; readonly reference: number };
  /** Share of all requests that were bad, stalls not merged. */
  readonly felt: { readonly candidate: number; readonly reference: number };
};

/**
 * E2 on units that had a bad event, across all steps together. "Worse" means a rate above max(ratio x reference, absolute).
 *
 * Safe: half of the money bets on the ratio, half on the absolute rate. At or beyond the limit both are e-processes, so their
 * average is one; without it two arms that never fail could never be proven no worse.
 * Harm: the smaller of the two e-values. Within the limit at least one of them is an e-process, and the smaller is below it.
 *
 * A stall counts as one event, so that bursts do not look like many coins. That must not hide a candidate which stalls for
 * all callers now and then: it is no worse only if its plain share of bad requests is within the limit as well.
 */
export function judgeLiveEvents(evidence: Evidence, rule: LiveRule): Judgement {
  const all = readExposures(evidence.live);
  const exposures = rule.evenOnly ? all?.filter((exposure) => exposure.isEven) : all;
  const totals = totalsOf(exposures ?? [], rule.event);
  return {
    samples: totals.trials.candidate + totals.trials.reference,
    candidateEvents: totals.events.candidate,
    referenceEvents: totals.events.reference,
    estimate: ratioOf(exposures ?? [], rule.event),
    margin: `rate < max(${brief(rule.ratio)} x reference, ${brief(rule.absolute * 100)} %)`,
    proof: proofOf(exposures, totals, rule),
  };
}

function proofOf(
  exposures: readonly Exposure[] | undefined,
  totals: Totals,
  rule: LiveRule,
): Proof {
  if (exposures === undefined) return missing('the live counts are not whole and consistent');
  if (!(rule.ratio > 0 && Number.isFinite(rule.ratio))) return missing('the ratio is not above 0');
  const where = rule.evenOnly ? ' at equal shares: use control: true, or 50 %' : '';
  for (const arm of ['candidate', 'reference'] as const) {
    if (totals.trials[arm] > 0) continue;
    const early = totals.requests[arm] > 0 ? ' since a threshold was known' : '';
    return missing(`no live requests of the ${arm}${early || where}`);
  }
  const events = exposures.map(({ odds, counts }) => ({
    odds,
    candidate: counts.candidate[rule.event],
    reference: counts.reference[rule.event],
  }));
  const logHarm = logEvidence(harmOfEvents(events, rule.ratio));
  const safe = safeOfEvents(events, rule.ratio);
  const absolute = absoluteProof(totals, rule.absolute);
  const held = crowding(totals, rule);
  if (absolute === undefined) return { kind: 'evidence', logHarm, safe, held };
  return {
    kind: 'evidence',
    logHarm: Math.min(logHarm, logEvidence(absolute.harm)),
    safe: halfAndHalf(safe, absolute.safe),
    held,
  };
}

/** Why the candidate is not yet believed to be no worse, regardless of its events; undefined: nothing speaks against it. */
function crowding({ felt }: Totals, { ratio, absolute, event }: LiveRule): string | undefined {
  const limit = Math.max(ratio * felt.reference, absolute > 0 && absolute < 1 ? absolute : 0);
  if (felt.candidate <= limit) return undefined;
  const [found, allowed] = [felt.candidate, limit].map((share) => `${brief(share * 100)} %`);
  return `in bursts, ${found} of the candidate's requests were ${event === 'slow' ? 'slow' : 'failures'}, at most ${allowed} expected`;
}

/** E1 on the candidate's own rate; undefined where the rule names no absolute rate. */
function absoluteProof(
  totals: Totals,
  absolute: number,
): { readonly harm: Mixture; readonly safe: Mixture } | undefined {
  if (!(absolute > 0 && absolute < 1)) return undefined;
  const [events, trials] = [totals.events.candidate, totals.trials.candidate];
  return {
    harm: harmOfRate(events, trials, absolute),
    safe: safeOfRate(events, trials, absolute),
  };
}

function totalsOf(exposures: readonly Exposure[], event: LiveRule['event']): Totals {
  const sum = (arm: 'candidate' | 'reference', of: (counts: ArmCounts) => number): number =>
    exposures.reduce((total, { counts }) => total + of(counts[arm]), 0);
  const both = (of: (counts: ArmCounts) => number) => ({
    candidate: sum('candidate', of),
    reference: sum('reference', of),
  });
  const requests = both((arm) => arm.requests);
  const bad = both((arm) => arm[FELT[event]]);
  return {
    requests,
    trials: both((arm) => arm[TRIALS[event]]),
    events: both((arm) => arm[event]),
    felt: {
      candidate: bad.candidate / Math.max(1, requests.candidate),
      reference: bad.reference / Math.max(1, requests.reference),
    },
  };
}

/** The ratio of rates over all exposures, each weighed by its information (Mantel and Haenszel). */
function ratioOf(exposures: readonly Exposure[], event: LiveRule['event']): number | undefined {
  let [above, below] = [0, 0];
  for (const { counts } of exposures) {
    const [candidate, reference] = [counts.candidate, counts.reference];
    const trials = TRIALS[event];
    const all = candidate[trials] + reference[trials];
    if (all === 0) continue;
    above += (candidate[event] * reference[trials]) / all;
    below += (reference[event] * candidate[trials]) / all;
  }
  return below > 0 ? above / below : undefined;
}
