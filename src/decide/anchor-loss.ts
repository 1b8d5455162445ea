import {
  type AnchorEvidence,
  type Evidence,
  NO_ANCHOR,
  type Slice,
  sliceKey,
} from '../core/evidence.ts';
import { anchorBeside, type RolloutSpec } from '../core/rollout.ts';
import { countText } from '../core/text.ts';
import type { Judgement } from './judgement.ts';
import { judgeLoss, noLabels } from './labelled-loss.ts';

/** So many of the copies may come to no answer of the anchor; beyond, those that do are no sample of the traffic. */
const FAILED_MAX = 0.1;

/** Fewer copies say nothing about that. */
const COPIES_MIN = 50;

/**
 * Whether the candidate's loss is higher than the anchor's by more than one margin: as `labelledLoss`, on the labelled pairs that the
 * anchor answered too. So what each promotion since may have lost adds up, and is not allowed again.
 *
 * A failure of the anchor is no loss of its own: an anchor that fails everything would make any candidate look better.
 */
export function judgeAnchorLoss(
  evidence: Evidence,
  spec: RolloutSpec,
  slice: Slice | undefined,
): Judgement {
  const anchor = evidence.anchor ?? NO_ANCHOR;
  const version = anchorBeside(spec)?.version ?? spec.anchor?.version ?? '';
  const counts = slice === undefined ? anchor.loss : anchor.lossBySlice[sliceKey(slice)];
  const judged = judgeLoss(
    {
      counts,
      coverage: anchor.coverage,
      drawn: anchor.drawnLoss,
      than: `that of anchor ${version}`,
      none: whyNone(anchor, version) ?? noLabels(evidence, slice),
      isClaimed: false,
    },
    { evidence, spec, slice },
  );
  const held = whyUnanswered(anchor, version);
  if (judged.proof.kind === 'missing' || held === undefined) return judged;
  return { ...judged, proof: { ...judged.proof, better: undefined, held } };
}

function whyNone({ answered, failed }: AnchorEvidence, version: string): string | undefined {
  if (answered > 0) return undefined;
  const seen = failed === 0 ? 'has not been asked' : `gave no answer to ${countText(failed)} pairs`;
  return `anchor ${version} ${seen}: the status says where it stands. If it cannot run, put its files back, or name another (understudy rollout anchor) and start again`;
}

function whyUnanswered({ answered, failed }: AnchorEvidence, version: string): string | undefined {
  const copies = answered + failed;
  if (copies < COPIES_MIN || failed <= FAILED_MAX * copies) return undefined;
  return `anchor ${version} gave no answer to ${countText(failed)} of ${countText(copies)} pairs, at most a tenth expected`;
}
