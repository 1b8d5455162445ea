import {
  type ExposedShares,
  harmOfClaim,
  type LinearClaim,
  safeOfClaim,
} from '../stats/linear-claim.ts';
import { logEvidence } from '../stats/mixture.ts';
import { missing, type Proof } from './judgement.ts';
import { brief } from './mean-difference.ts';
import { outlookOfClaim } from './outlook.ts';

/** `rate < 2 x reference plus 0.2 %`: the limit of a claim, as a status shows it. */
export function marginText({ ratio, absolute }: LinearClaim, reference = 'reference'): string {
  return `rate < ${brief(ratio)} x ${reference} plus ${brief(absolute * 100)} %`;
}

/** Both sides of a claim on the shares of bad requests, one a unit. Shares of no unit at all are evidence for nothing. */
export function linearProof(seen: readonly ExposedShares[], claim: LinearClaim): Proof {
  const why = whyNoClaim(claim);
  if (why !== undefined) return missing(why);
  return {
    kind: 'evidence',
    logHarm: logEvidence(harmOfClaim(seen, claim)),
    safe: safeOfClaim(seen, claim),
    outlook: outlookOfClaim(seen, claim, (later) => logEvidence(safeOfClaim(later, claim))),
  };
}

/** Units of one arm and their bad shares, added over all exposures. */
export function armTotals(
  seen: readonly ExposedShares[],
  arm: 'candidate' | 'reference',
): { readonly units: number; readonly bad: number } {
  let [units, bad] = [0, 0];
  for (const [share, count] of seen.flatMap((exposed) => exposed[arm])) {
    units += count;
    bad += share * count;
  }
  return { units, bad };
}

/** The ratio of rates over all exposures, each weighed by how much it can tell (Mantel and Haenszel); undefined: none below. */
export function ratioOfShares(seen: readonly ExposedShares[]): number | undefined {
  let [above, below] = [0, 0];
  for (const exposed of seen) {
    const [candidate, reference] = [
      armTotals([exposed], 'candidate'),
      armTotals([exposed], 'reference'),
    ];
    const all = candidate.units + reference.units;
    if (all === 0) continue;
    above += (candidate.bad * reference.units) / all;
    below += (reference.bad * candidate.units) / all;
  }
  return below > 0 ? above / below : undefined;
}

/** Why a claim says nothing that could be tested; undefined: it does. */
export function whyNoClaim({ ratio, absolute }: LinearClaim): string | undefined {
  if (!(ratio > 0 && Number.isFinite(ratio))) return 'the ratio is not above 0';
  if (!(absolute > 0 && absolute < 1)) return 'the absolute rate is not between 0 and 1';
  return undefined;
}
