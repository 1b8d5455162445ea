import { type DrawnLossEvidence, drawnMost, NO_DRAWN } from '../core/drawn-loss.ts';
import { type Slice, sliceKey } from '../core/evidence.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import { countText, percentText } from '../core/text.ts';
import { readDrawn } from './drawn-counts.ts';
import { type Judgement, missing } from './judgement.ts';
import { brief, judgeDifferences } from './mean-difference.ts';

/** A drawn difference of losses, and of which versions. */
export type DrawnQuestion = {
  /** Undefined: there is no value. */
  readonly drawn: DrawnLossEvidence | undefined;
  /** Whose loss the candidate's is compared with. */
  readonly than: string;
  /** What to say where there is no value. */
  readonly none: string;
  /** "Better" has to be shown, in the place of "no worse". */
  readonly isClaimed: boolean;
  readonly spec: RolloutSpec;
  readonly slice: Slice | undefined;
};

/** Answered ones that equal neither answer: from this share of so many on, labels look like those of something else. */
const NEITHER_MIN = 0.8;
const NEITHER_LABELS_MIN = 10;

/**
 * Whether the candidate's loss is within the margin, or beyond, by labels that the queue asked for. Pairs on which both answers are the
 * same under the loss are known to be 0, so they are evidence without a label; of the others each drawn one counts over its
 * probability. No labeller's choice of what to answer can help the candidate: a pair that was drawn and has no label, or contradicting
 * ones, counts as the worst that it can be, for either test. So no coverage has to be shown, and no lateness to be bounded.
 *
 * One bet for all levels, bounded by the largest value that any of them has: a bet per level, each as large as its own level bears, is
 * no test at all.
 */
export function judgeDrawnLoss(question: DrawnQuestion): Judgement {
  const { spec, slice, drawn = NO_DRAWN, isClaimed, than, none } = question;
  const queue = spec.labels?.queue;
  const margin = spec.margins.labelledLoss;
  const limit = `mean loss minus ${than} < ${isClaimed ? '0, better' : brief(margin)}`;
  const counts = slice === undefined ? drawn.all : (drawn.bySlice[sliceKey(slice)] ?? {});
  const most = queue === undefined ? 1 : drawnMost(queue);
  const judged = judgeDifferences(readDrawn(counts, most), {
    ...{ bets: 'drawn', lower: -most, upper: most, limit: margin, none },
    margin: `${limit}, labels drawn: ${countText(drawn.answered)} of ${countText(drawn.drawn)} answered`,
    testsBetter: spec.claim !== undefined && slice === undefined,
  });
  if (judged.proof.kind === 'missing') return judged;
  if (queue === undefined)
    return { ...judged, proof: missing('the rollout does not say how labels were drawn') };
  const held = whyForeign(drawn);
  if (isClaimed) {
    const { better } = judged.proof;
    const proof = { ...judged.proof, safe: better, outlook: undefined, held };
    return { ...judged, claim: 'superior', proof };
  }
  const better = held === undefined ? judged.proof.better : undefined;
  return { ...judged, proof: { ...judged.proof, better, held } };
}

function whyForeign({ answered, neither }: DrawnLossEvidence): string | undefined {
  if (answered < NEITHER_LABELS_MIN || neither < NEITHER_MIN * answered) return undefined;
  return `${percentText(neither / answered)} of ${countText(answered)} labels equal neither version's answer: check which classes they name`;
}
