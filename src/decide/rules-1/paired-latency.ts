import type { Evidence } from '../../core/evidence.ts';
import type { RolloutSpec } from '../../core/rollout.ts';
import { harmOfHalf } from '../../stats/bets.ts';
import { logEvidence } from '../../stats/mixture.ts';
import { type Judgement, missing, type Proof } from '../judgement.ts';
import { brief } from '../mean-difference.ts';
import { isCount } from '../value-counts.ts';

/**
 * Whether the candidate's run is slower than the margin allows in more than half of the twinned pairs. Shadow timing is a
 * proxy (other process, other neighbours), so it can reject and never promote.
 */
export function judgePairedLatency(evidence: Evidence, spec: RolloutSpec): Judgement {
  const { pairs, slower } = evidence.pairedLatency;
  const { ratio, floorMs } = spec.margins.pairedLatency;
  return {
    samples: pairs,
    candidateEvents: slower,
    referenceEvents: 0,
    estimate: pairs > 0 ? slower / pairs : undefined,
    margin: `slower than max(${brief(ratio)} x twin, twin + ${brief(floorMs)} ms) in at most half of the pairs`,
    proof: proofOf(pairs, slower),
  };
}

function proofOf(pairs: number, slower: number): Proof {
  if (!isCount(pairs) || !isCount(slower) || slower > pairs) {
    return missing('the evidence is not whole counts of pairs');
  }
  if (pairs === 0) return missing('no twin pairs: set twin > 0');
  return { kind: 'evidence', logHarm: logEvidence(harmOfHalf(slower, pairs)), safe: undefined };
}
