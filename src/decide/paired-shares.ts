import type { PairedFailureCounts } from '../core/evidence.ts';
import type { PairedShares } from '../stats/paired-claim.ts';
import { isCount } from './value-counts.ts';

/** Units of pairs and their shares of failed ones, added. */
export type PairedTotals = {
  readonly units: number;
  readonly candidate: number;
  readonly reference: number;
};

/** Shares from `<candidate's>:<reference's>/<requests>`; undefined if a key is none, or a count no whole number. */
export function readPairedShares(counts: PairedFailureCounts): PairedShares | undefined {
  const shares: [number, number, number][] = [];
  for (const [text, count] of Object.entries(counts)) {
    const [, candidate, reference, requests] = /^(\d+):(\d+)\/([1-9]\d*)$/.exec(text) ?? [];
    const [mine, other] = [Number(candidate), Number(reference)].map(
      (failed) => failed / Number(requests),
    );
    if (mine === undefined || other === undefined) return undefined;
    if (!(mine <= 1 && other <= 1) || !isCount(count)) return undefined;
    shares.push([mine, other, count]);
  }
  return shares;
}

/** In the order of the shares, so that sums come out alike however evidence was put together. */
export function pairedTotals(shares: PairedShares): PairedTotals {
  let [units, candidate, reference] = [0, 0, 0];
  for (const [mine, other, count] of [...shares].sort(([a, b], [c, d]) => a - c || b - d)) {
    units += count;
    candidate += mine * count;
    reference += other * count;
  }
  return { units, candidate, reference };
}
