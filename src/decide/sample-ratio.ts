import type { Evidence } from '../core/evidence.ts';
import { logSampleRatioMismatch } from '../stats/sample-ratio.ts';
import { readExposures } from './exposures.ts';

/** The probability that a sound split is called broken, over the whole rollout. */
const SAMPLE_RATIO_LEVEL = 0.001;

/** What is wrong with how units were split between the arms, in words; undefined if nothing is. */
export function sampleRatioMismatch(evidence: Evidence): string | undefined {
  const exposures = readExposures(evidence.live);
  if (exposures === undefined || exposures.length === 0) return undefined;
  const units = exposures.map(({ odds, counts }) => ({
    odds,
    candidate: counts.candidate.units,
    reference: counts.reference.units,
  }));
  if (!(logSampleRatioMismatch(units) >= -Math.log(SAMPLE_RATIO_LEVEL))) return undefined;
  const expected = units.reduce((sum, u) => sum + u.odds * (u.candidate + u.reference), 0);
  const seen = units.reduce((sum, u) => sum + u.candidate, 0);
  return `sample ratio mismatch: the candidate had ${seen} units where ${expected.toFixed(0)} were expected`;
}
