import { type Evidence, NO_DIFFERENCES } from '../core/evidence.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import { type Judgement, missing } from './judgement.ts';
import { brief, judgeMean } from './mean-difference.ts';

/** Under rules 1 there is no such metric, and no spec names it. */
export function noLiveLoss(): Judgement {
  const none = { samples: 0, candidateEvents: 0, referenceEvents: 0, estimate: undefined };
  return { ...none, margin: 'none', proof: missing('the rules of version 1 do not judge it') };
}

/**
 * Whether labelled live answers of the candidate are wrong more often than those of the reference: users are drawn to the arms at
 * random, so labels that come for what the candidate itself answered speak of it. It can only reject: labels that users send are
 * no random sample, and no caller sees both answers.
 */
export function judgeLiveLoss(evidence: Evidence, spec: RolloutSpec): Judgement {
  const margin = spec.margins.labelledLoss;
  const judged = judgeMean({
    counts: evidence.liveLoss?.differences ?? NO_DIFFERENCES,
    lower: -1,
    upper: 1,
    limit: margin,
    margin: `mean loss of labelled live answers minus the reference's < ${brief(margin)}`,
    none: 'no labels of live answers of both arms',
  });
  if (spec.labels === undefined) {
    const why = `labels prove nothing without a window: declare models.${spec.model}.labels.window, the time from a request to its last label`;
    return { ...judged, proof: missing(why) };
  }
  if (judged.proof.kind === 'missing') return judged;
  return { ...judged, proof: { ...judged.proof, safe: undefined } };
}
