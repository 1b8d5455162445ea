import type { Evidence, ExposureCounts } from '../core/evidence.ts';
import { isCount } from './value-counts.ts';

/** Live counts at one exposure, with the odds that a unit of the two arms was the candidate's. */
export type Exposure = {
  /** As in the evidence: `<candidateBp>:<referenceBp>`. */
  readonly key: string;
  readonly odds: number;
  /** True where both arms had the same share of the traffic. */
  readonly isEven: boolean;
  readonly counts: ExposureCounts;
};

/**
 * The exposures at which both arms could be reached. Undefined if a key or a count is not what it should be. Where one arm
 * had no weight there was no coin to toss, and what happened there says nothing about the other.
 */
export function readExposures(live: Evidence['live']): readonly Exposure[] | undefined {
  const exposures: Exposure[] = [];
  // By key, so that sums over exposures have one order, however the evidence was put together.
  const byKey = Object.entries(live).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, counts] of byKey) {
    const odds = oddsOf(key);
    if (odds === undefined || !areCounts(counts)) return undefined;
    if (odds > 0 && odds < 1) exposures.push({ key, odds, isEven: odds === 0.5, counts });
  }
  return exposures;
}

/** The odds at an exposure: 0 or 1 where only one arm had a weight, NaN where neither had. Undefined for a key that is none. */
export function oddsOf(key: string): number | undefined {
  const weights = /^(\d+):(\d+)$/.exec(key);
  if (weights === null) return undefined;
  const [candidate, reference] = [Number(weights[1]), Number(weights[2])];
  return candidate / (candidate + reference);
}

function areCounts({ candidate, reference }: ExposureCounts): boolean {
  return [candidate, reference].every(
    (arm) =>
      [arm.requests, arm.units, arm.timedUnits, arm.errors, arm.slow].every(isCount) &&
      [arm.erredRequests, arm.slowRequests].every(isCount) &&
      arm.errors <= arm.units &&
      arm.slow <= arm.timedUnits &&
      Math.max(arm.erredRequests, arm.slowRequests) <= arm.requests,
  );
}
