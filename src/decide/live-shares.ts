import type { Evidence } from '../core/evidence.ts';
import type { ValueCounts } from '../stats/bets.ts';
import type { ExposedShares } from '../stats/linear-claim.ts';
import { type Exposure, readExposures } from './exposures.ts';

/** The live metrics whose limit is a linear claim. */
export type ShareMetric = 'errors' | 'slowRequests';

/** The bad shares of units at one exposure. */
export type LiveShares = ExposedShares & { readonly key: string };

/**
 * The bad share of each unit, by arm and exposure: what a linear claim is judged on. Undefined if the evidence is not whole and
 * consistent.
 */
export function liveShares(
  metric: ShareMetric,
  evidence: Evidence,
): readonly LiveShares[] | undefined {
  const exposures = readExposures(evidence.live);
  return exposures?.filter((exposure) => metric === 'errors' || exposure.isEven).map(READ[metric]);
}

/**
 * What was added since an earlier look, for a metric whose evidence only adds up. Undefined if either is not whole and consistent,
 * or the later evidence holds less than the earlier.
 */
export function liveSharesSince(
  metric: ShareMetric,
  now: Evidence,
  before: Evidence,
): readonly LiveShares[] | undefined {
  const [after, earlier] = [liveShares(metric, now), liveShares(metric, before)];
  if (after === undefined || earlier === undefined) return undefined;
  const then = new Map(earlier.map((exposed) => [exposed.key, exposed]));
  const added = after.map((exposed) => ({
    ...exposed,
    candidate: minus(exposed.candidate, then.get(exposed.key)?.candidate ?? []),
    reference: minus(exposed.reference, then.get(exposed.key)?.reference ?? []),
  }));
  const counts = added.flatMap(({ candidate, reference }) => [...candidate, ...reference]);
  return counts.every(([, count]) => count >= 0) ? added : undefined;
}

const READ: Readonly<Record<ShareMetric, (exposure: Exposure) => LiveShares>> = {
  errors: ({ key, odds, counts: { candidate, reference } }) => ({
    key,
    odds,
    candidate: wholeUnits(candidate.units, candidate.errors),
    reference: wholeUnits(reference.units, reference.errors),
  }),
  slowRequests: ({ key, odds, counts: { candidate, reference } }) => ({
    key,
    odds,
    candidate: wholeUnits(candidate.timedUnits, candidate.slow),
    reference: wholeUnits(reference.timedUnits, reference.slow),
  }),
};

/** Units that were bad or fine as a whole. */
function wholeUnits(units: number, bad: number): ValueCounts {
  return [
    [0, units - bad],
    [1, bad],
  ];
}

function minus(now: ValueCounts, then: ValueCounts): ValueCounts {
  const counts = new Map(now);
  for (const [share, count] of then) counts.set(share, (counts.get(share) ?? 0) - count);
  return [...counts];
}
