import type { Evidence, ShareCounts } from '../core/evidence.ts';
import type { ValueCounts } from '../stats/bets.ts';
import type { ExposedShares } from '../stats/linear-claim.ts';
import { oddsOf, readExposures } from './exposures.ts';
import { isCount } from './value-counts.ts';

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
  return metric === 'errors' ? failedShares(evidence) : slowShares(evidence);
}

/**
 * What was added since an earlier look where both arms had the same share, for a metric whose evidence only adds up. Undefined if either is not whole and consistent,
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
  const added = after
    .filter(({ odds }) => odds === 0.5)
    .map((exposed) => ({
      ...exposed,
      candidate: minus(exposed.candidate, then.get(exposed.key)?.candidate ?? []),
      reference: minus(exposed.reference, then.get(exposed.key)?.reference ?? []),
    }));
  const counts = added.flatMap(({ candidate, reference }) => [...candidate, ...reference]);
  return counts.every(([, count]) => count >= 0) ? added : undefined;
}

function failedShares({ liveErrors = {} }: Evidence): readonly LiveShares[] | undefined {
  const found: LiveShares[] = [];
  for (const [key, shares] of Object.entries(liveErrors)) {
    const odds = oddsOf(key);
    const candidate = readShares(shares.candidate);
    const reference = readShares(shares.reference);
    if (odds === undefined || candidate === undefined || reference === undefined) return undefined;
    if (odds > 0 && odds < 1) found.push({ key, odds, candidate, reference });
  }
  return found;
}

/** Values from `<bad>/<requests>`; undefined if a key is no share, or a count no whole number. */
function readShares(counts: ShareCounts): ValueCounts | undefined {
  const values = new Map<number, number>();
  for (const [text, count] of Object.entries(counts)) {
    const [, bad, requests] = /^(\d+)\/([1-9]\d*)$/.exec(text) ?? [];
    const share = Number(bad) / Number(requests);
    if (!(share >= 0 && share <= 1) || !isCount(count)) return undefined;
    values.set(share, (values.get(share) ?? 0) + count);
  }
  return [...values];
}

function slowShares(evidence: Evidence): readonly LiveShares[] | undefined {
  const exposures = readExposures(evidence.live);
  return exposures
    ?.filter(({ isEven }) => isEven)
    .map(({ key, odds, counts: { candidate, reference } }) => ({
      key,
      odds,
      candidate: wholeUnits(candidate.timedUnits, candidate.slow),
      reference: wholeUnits(reference.timedUnits, reference.slow),
    }));
}

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
