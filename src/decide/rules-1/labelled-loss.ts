import { type Evidence, NO_DIFFERENCES, type Slice, sliceKey } from '../../core/evidence.ts';
import type { RolloutSpec } from '../../core/rollout.ts';
import type { Judgement } from '../judgement.ts';
import { brief, judgeMean } from '../mean-difference.ts';

/**
 * Whether the candidate's loss is higher than stable's on the same labelled requests, over all of them or over a slice.
 *
 * Assumes that whether an answer gets a label does not depend on who was right. Where labellers pick mostly the answers that
 * stable got wrong, a candidate that is worse looks better, and no test on these numbers can detect that: label a random sample.
 */
export function judgeLabelledLoss(
  evidence: Evidence,
  spec: RolloutSpec,
  slice: Slice | undefined,
): Judgement {
  const margin = spec.margins.labelledLoss;
  const counts =
    slice === undefined ? evidence.labelledLoss : evidence.labelledLossBySlice[sliceKey(slice)];
  return judgeMean({
    bets: 'first',
    counts: counts ?? NO_DIFFERENCES,
    lower: -1,
    upper: 1,
    limit: margin,
    margin: `mean loss minus stable's < ${brief(margin)}`,
    none: slice === undefined ? noLabels(evidence) : `slice empty: no labelled pair in it`,
  });
}

function noLabels({ labels }: Evidence): string {
  return labels.unmatched === 0
    ? 'no labels'
    : `no labels: ${labels.unmatched} arrived, none of them for a compared pair`;
}
