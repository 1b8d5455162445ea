import {
  type DifferenceCounts,
  type Evidence,
  NO_DIFFERENCES,
  type Slice,
  sliceKey,
} from '../core/evidence.ts';
import {
  type LabelCoverage,
  type LabelEvidence,
  labelsMatchNeither,
  NO_LABELS,
} from '../core/label-evidence.ts';
import { falsePromotionOf, type RolloutSpec } from '../core/rollout.ts';
import { countText, durationText, percentText } from '../core/text.ts';
import { safeOfRate } from '../stats/bets.ts';
import { logEvidence } from '../stats/mixture.ts';
import { judgeDrawnLoss } from './drawn-loss.ts';
import { type Judgement, missing } from './judgement.ts';
import { whyNotCovered } from './label-coverage.ts';
import { brief, judgeMean } from './mean-difference.ts';

/** Of labels that are not declared a random sample. */
export const UNASKED =
  'labels that come unasked can only reject: declare labels.selection: random if a random sample of the answers is labelled';

/** Labels that came after their window, as a share of all: from here on the window is too short for what it claims. */
const LATE_MAX = 0.1;

/**
 * Whether the candidate's loss is higher than stable's, over all units or those of a slice: the mean difference over the labelled
 * pairs of each unit whose label window has ended.
 *
 * Labels can say "no worse" only where the operator declares them a random sample (`labels.selection: random`), and where they are
 * shown to come as often for pairs on which the versions differ as for others. Otherwise they can only reject: where mostly the
 * answers that stable got wrong are labelled, a candidate that is worse looks better, and no test on these numbers can find out.
 *
 * Whether it is better is the same test with a margin of 0. A rollout that claims that (`claim: superior`) is held to it over all
 * units, and in slices to no worse.
 */
export function judgeLabelledLoss(
  evidence: Evidence,
  spec: RolloutSpec,
  slice: Slice | undefined,
): Judgement {
  const measured = {
    counts:
      slice === undefined ? evidence.labelledLoss : evidence.labelledLossBySlice[sliceKey(slice)],
    coverage: evidence.labelling?.coverage ?? {},
    drawn: evidence.drawnLoss,
    than: "stable's",
    none: noLabels(evidence, slice),
    isClaimed: spec.claim === 'superior' && slice === undefined,
  };
  return judgeLoss(measured, { evidence, spec, slice });
}

/** A difference of losses, and of which versions. */
export type MeasuredLoss = {
  /** Undefined: there is no value. */
  readonly counts: DifferenceCounts | undefined;
  /** Of the units that are counted, by slice. */
  readonly coverage: LabelEvidence['coverage'];
  /** What the label queue drew, where labels are drawn. */
  readonly drawn: Evidence['drawnLoss'];
  /** Whose loss the candidate's is compared with. */
  readonly than: string;
  /** What to say where there is no value. */
  readonly none: string;
  /** "Better" has to be shown, in the place of "no worse". */
  readonly isClaimed: boolean;
};

type LossQuestion = {
  readonly evidence: Evidence;
  readonly spec: RolloutSpec;
  readonly slice: Slice | undefined;
};

/** Whether labels show a difference of losses to be within the margin, or beyond. */
export function judgeLoss(
  { counts, coverage, drawn, than, none, isClaimed }: MeasuredLoss,
  { evidence, spec, slice }: LossQuestion,
): Judgement {
  if (spec.labels?.selection === 'drawn')
    return judgeDrawnLoss({ drawn, than, none, isClaimed, spec, slice });
  const margin = spec.margins.labelledLoss;
  const labelling = { ...(evidence.labelling ?? NO_LABELS), coverage };
  const declared = spec.labels?.selection === 'random' ? ', labels declared random' : '';
  const judged = judgeMean({
    bets: 'labels',
    counts: counts ?? NO_DIFFERENCES,
    lower: -1,
    upper: 1,
    limit: margin,
    margin: `mean loss minus ${than} < ${isClaimed ? '0, better' : brief(margin)}${declared}`,
    none,
    testsBetter: spec.claim !== undefined && slice === undefined,
  });
  if (spec.labels === undefined) {
    const why = `labels prove nothing without a window: declare models.${spec.model}.labels.window, the time from a request to its last label`;
    return { ...judged, proof: missing(why) };
  }
  if (judged.proof.kind === 'missing') return judged;
  const whyBetterHeld = whyHeld(labelling, spec, slice);
  if (isClaimed) {
    // How much better it may turn out is not looked ahead at.
    const { better } = judged.proof;
    const proof = { ...judged.proof, safe: better, outlook: undefined, held: whyBetterHeld };
    return { ...judged, claim: 'superior', proof };
  }
  const proof = {
    ...judged.proof,
    better: whyBetterHeld === undefined ? judged.proof.better : undefined,
    held: isRarelyDifferent(labelling, spec, slice) ? whyDoubted(labelling, spec) : whyBetterHeld,
  };
  return { ...judged, proof };
}

/** Why there is no labelled pair, in a sentence. */
export function noLabels(
  { labels, labelling = NO_LABELS }: Evidence,
  slice: Slice | undefined,
): string {
  const { waiting, windowMs, dropped } = labelling;
  if (slice !== undefined) return 'slice empty: no labelled pair in it';
  if (dropped > 0 && waiting > 0)
    return `no labels yet: ${countText(dropped)} pairs were dropped before their window of ${durationText(windowMs)} ended: raise labels.storeMax, or mirror a smaller share`;
  if (labels.joined > 0 && waiting > 0)
    return `no labels yet: ${countText(waiting)} pairs wait until their window of ${durationText(windowMs)} has ended`;
  if (labels.unmatched === 0) return 'no labels';
  return `no labels: ${labels.unmatched} arrived, none of them for a compared pair`;
}

/** Why labels are not believed to say "no worse" or "better", in a sentence; undefined: they are. */
function whyHeld(
  labelling: LabelEvidence,
  spec: RolloutSpec,
  slice: Slice | undefined,
): string | undefined {
  const doubt = whyDoubted(labelling, spec);
  return doubt ?? whyNotCovered(coverageOf(labelling, slice), logNeededBy(spec));
}

/** Why no labels are believed, whichever pairs they are for. */
function whyDoubted(labelling: LabelEvidence, spec: RolloutSpec): string | undefined {
  if (spec.labels?.selection !== 'random') return UNASKED;
  const { late, labelled, inTime = labelled, neither, windowMs } = labelling;
  const whyLate = whyTooLate({ late, inTime, windowMs });
  if (whyLate !== undefined) return whyLate;
  if (labelsMatchNeither(labelling))
    return `${percentText(neither / labelled)} of ${countText(labelled)} labels equal neither version's answer: check which classes they name`;
  return undefined;
}

function coverageOf(
  { coverage }: LabelEvidence,
  slice: Slice | undefined,
): LabelCoverage | undefined {
  return coverage[slice === undefined ? '' : sliceKey(slice)];
}

/** Either of two tests will do, so each may err with half of what the attempt may. */
function logNeededBy(spec: RolloutSpec): number {
  return -Math.log(falsePromotionOf(spec) / 2);
}

type Lateness = Pick<LabelEvidence, 'late' | 'windowMs'> & { readonly inTime: number };

/** Where labels come after their window, in a sentence; undefined: few do. */
export function whyTooLate({ late, inTime, windowMs }: Lateness): string | undefined {
  if (!(late > LATE_MAX * (late + inTime))) return undefined;
  return `${countText(late)} labels came after their window of ${durationText(windowMs)}, ${countText(inTime)} within: raise labels.window`;
}

/** Where answers are shown to differ in fewer units than the margin, no choice of labels can hide a loss beyond it. */
function isRarelyDifferent(
  labelling: LabelEvidence,
  spec: RolloutSpec,
  slice: Slice | undefined,
): boolean {
  const { labelledLoss: rate } = spec.margins;
  const coverage = coverageOf(labelling, slice);
  // Answers that differ little are among those that agree.
  if (labelling.isGraded === true) return false;
  // Asked what smaller margins have been proven, none at or below 0 is a rate.
  if (coverage === undefined || !(rate > 0 && rate < 1)) return false;
  const { agreeing, differing } = coverage;
  const units = agreeing.units + differing.units;
  return logEvidence(safeOfRate(differing.units, units, rate)) >= logNeededBy(spec);
}
