import type { Evidence } from '../core/evidence.ts';
import type { LinearClaim } from '../stats/linear-claim.ts';
import { armTotals } from './linear-rule.ts';
import type { LiveShares } from './live-shares.ts';

type Arm = 'candidate' | 'reference';

/**
 * By how much the reference's larger events may excuse the candidate's, at most: as many as a batch has. Without a bound one incident that
 * takes hundreds along, such as a pause of the machine, would hide a candidate that fails all of its requests for thousands of them.
 */
const EXCUSED_MAX = 8;

/** The claims on events that a claim on requests comes to, given how many requests an event takes along. */
export type EventClaims = { readonly harm: LinearClaim; readonly safe: LinearClaim };

/** Of one arm: units and their bad shares, added, as events; and requests, and failed ones, as they were felt. */
export type Events = {
  readonly units: number;
  readonly bad: number;
  readonly requests: number;
  readonly failed: number;
};

/**
 * A failed run, a stall or a crash is one event, and takes along all requests that shared it: so counted, `absolute` would allow as
 * many events as it allows requests. An event of an arm takes along M requests on average, its plain failed share over its share of
 * events, and p = M e. So p_c <= ratio p_s + absolute is e_c <= ratio (M_s / M_c) e_s + absolute / M_c.
 *
 * M is measured, so neither process is allowed more than the claim as written: for safety neither part grows, with the larger M of the
 * two arms, since that of the candidate is not known before its first event; for harm no part shrinks.
 */
export function eventClaims(
  { candidate, reference }: { readonly candidate: Events; readonly reference: Events },
  claim: LinearClaim,
): EventClaims {
  const [mine, other] = [sizeOf(candidate), sizeOf(reference)];
  const { ratio, absolute } = claim;
  return {
    harm: { ratio: ratio * Math.min(EXCUSED_MAX, Math.max(1, other / mine)), absolute },
    safe: { ratio: ratio * Math.min(1, other / mine), absolute: absolute / Math.max(mine, other) },
  };
}

function sizeOf({ units, bad, requests, failed }: Events): number {
  if (units === 0 || failed === 0) return 1;
  // Failures without an event of their own came under others: as if one had been.
  return roundedUp(failed / requests / (Math.max(1, bad) / units));
}

/** What was seen of the live requests of each arm, units and requests at the same exposures: rates of others are no size of these. */
export function liveEvents(
  seen: readonly LiveShares[],
  { liveFelt = {} }: Evidence,
): { readonly candidate: Events; readonly reference: Events } {
  const felt = Object.fromEntries(
    seen.flatMap(({ key }) => {
      const exposure = liveFelt[key];
      return exposure === undefined ? [] : [[key, exposure] as const];
    }),
  );
  const of = (arm: Arm): Events => ({ ...armTotals(seen, arm), ...feltTotals(felt, arm) });
  return { candidate: of('candidate'), reference: of('reference') };
}

/** Requests of an arm that weighed, and failed ones, at exposures where both arms had traffic. */
export function feltTotals(
  felt: NonNullable<Evidence['liveFelt']>,
  arm: Arm,
): { readonly requests: number; readonly failed: number } {
  let [requests, failed] = [0, 0];
  for (const [key, exposure] of Object.entries(felt)) {
    if (key.startsWith('0:') || key.endsWith(':0')) continue;
    requests += exposure[arm].requests;
    failed += exposure[arm].failed;
  }
  return { requests, failed };
}

/** Of a doubling: few different sizes, so that the bets of a claim are searched rarely. */
const STEPS = 4;

/** To the next step; at least 1. */
function roundedUp(size: number): number {
  if (!(size > 1)) return 1;
  return 2 ** (Math.ceil(STEPS * Math.log2(size) - 1e-9) / STEPS);
}
