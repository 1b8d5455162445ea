import type { Evidence } from '../core/evidence.ts';
import { logSampleRatioMismatch } from '../stats/sample-ratio.ts';
import { readExposures } from './exposures.ts';
import { armTotals } from './linear-rule.ts';
import { liveShares } from './live-shares.ts';

/** The probability that a sound split is called broken, over the whole rollout. */
const SAMPLE_RATIO_LEVEL = 0.001;

/** What is wrong with how units were split between the arms, in words; undefined if nothing is. */
export function sampleRatioMismatch(evidence: Evidence): string | undefined {
  const units = evidence.liveErrors === undefined ? unitsOfRules1(evidence) : unitsOf(evidence);
  if (units.length === 0) return undefined;
  if (!(logSampleRatioMismatch(units) >= -Math.log(SAMPLE_RATIO_LEVEL))) return undefined;
  const expected = units.reduce((sum, u) => sum + u.odds * (u.candidate + u.reference), 0);
  const seen = units.reduce((sum, u) => sum + u.candidate, 0);
  return `sample ratio mismatch: the candidate had ${seen} units where ${expected.toFixed(0)} were expected`;
}

type SplitUnits = Parameters<typeof logSampleRatioMismatch>[0];

/** Each unit once in a rollout, restarts included. */
function unitsOf(evidence: Evidence): SplitUnits {
  const seen = liveShares('errors', evidence) ?? [];
  return seen.map((exposure) => ({
    odds: exposure.odds,
    candidate: armTotals([exposure], 'candidate').units,
    reference: armTotals([exposure], 'reference').units,
  }));
}

function unitsOfRules1({ live }: Evidence): SplitUnits {
  return (readExposures(live) ?? []).map(({ odds, counts }) => ({
    odds,
    candidate: counts.candidate.units,
    reference: counts.reference.units,
  }));
}
