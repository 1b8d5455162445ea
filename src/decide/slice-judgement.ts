import { type Evidence, NO_EVIDENCE, type Slice, sliceKey } from '../core/evidence.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import { type Judgement, missing } from './judgement.ts';

/** A rule that reads the counts of all requests. */
type Rule = (evidence: Evidence, spec: RolloutSpec) => Judgement;

/** A slice's own counts in the places of those of all requests: what a rule is judged on in it, and measured by. */
export function evidenceOfSlice(evidence: Evidence, slice: Slice | undefined): Evidence {
  if (slice === undefined) return evidence;
  const { bySlice = {} } = evidence;
  return { ...NO_EVIDENCE, ...bySlice[sliceKey(slice)], bySlice };
}

/** The same rule in each slice. One without any request says so: it proves nothing, and holds back what requires it. */
export function inSlices(
  rule: Rule,
): (evidence: Evidence, spec: RolloutSpec, slice: Slice | undefined) => Judgement {
  return (evidence, spec, slice) => {
    const judged = rule(evidenceOfSlice(evidence, slice), spec);
    if (slice === undefined || judged.proof.kind !== 'missing' || judged.samples > 0) return judged;
    return { ...judged, proof: missing(`slice empty: ${judged.proof.why}`) };
  };
}
