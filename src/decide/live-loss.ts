import { type Evidence, type LiveLabelled, NO_DIFFERENCES } from '../core/evidence.ts';
import { type CoverageBlocks, type LabelledUnits, NO_LABELS } from '../core/label-evidence.ts';
import { falsePromotionOf, type RolloutSpec } from '../core/rollout.ts';
import { type Judgement, missing } from './judgement.ts';
import { whyNotAlike } from './label-coverage.ts';
import { UNASKED, whyTooLate } from './labelled-loss.ts';
import { brief, judgeMean } from './mean-difference.ts';

/** A metric that rules 1 do not have. No specification of theirs names it. */
export function notJudged(): Judgement {
  const none = { samples: 0, candidateEvents: 0, referenceEvents: 0, estimate: undefined };
  return { ...none, margin: 'none', proof: missing('the rules of version 1 do not judge it') };
}

/**
 * Whether labelled live answers of the candidate are wrong more often than those of the reference: users are drawn to the arms at
 * random, so labels that come for what the candidate itself answered speak of it.
 *
 * Labels that users send are no random sample, and can only reject. "No worse" needs `labels.selection: random`, and that labels
 * are shown to come as often for the answers of either arm. Harm is not held to that: where users report mistakes, a worse candidate
 * gets more labels, and a rule that waits for equal shares would wait longest for the worst.
 */
export function judgeLiveLoss(evidence: Evidence, spec: RolloutSpec): Judgement {
  const margin = spec.margins.labelledLoss;
  const isDeclared = spec.labels?.selection === 'random';
  const measured = liveLossAt(evidence, margin);
  const judged = isDeclared
    ? { ...measured, margin: `${measured.margin}, labels declared random` }
    : measured;
  if (spec.labels === undefined) {
    const why = `labels prove nothing without a window: declare models.${spec.model}.labels.window, the time from a request to its last label`;
    return { ...judged, proof: missing(why) };
  }
  if (judged.proof.kind === 'missing') return judged;
  const { proof } = judged;
  if (isDeclared) return { ...judged, proof: { ...proof, held: whyHeld(evidence, spec) } };
  const held = isRequired(spec) ? UNASKED : undefined;
  return { ...judged, proof: { ...proof, safe: undefined, held } };
}

/** What the differences of the arms show, whichever labels they come from. */
export function liveLossAt({ liveLoss }: Evidence, limit: number): Judgement {
  return judgeMean({
    counts: liveLoss?.differences ?? NO_DIFFERENCES,
    lower: -1,
    upper: 1,
    limit,
    margin: `mean loss of labelled live answers minus the reference's < ${brief(limit)}`,
    none: 'no labels of live answers of both arms',
  });
}

/** Why labels are not believed to say "no worse", in a sentence; undefined: they are. */
function whyHeld(
  { labelling = NO_LABELS, liveLoss }: Evidence,
  spec: RolloutSpec,
): string | undefined {
  const { late, labelled, inTime = labelled, windowMs } = labelling;
  const why = whyTooLate({ late, inTime, windowMs });
  if (why !== undefined) return why;
  const sides = { ...sumOf(Object.values(liveLoss?.places ?? {})), names: ARMS };
  return whyNotAlike(sides, -Math.log(falsePromotionOf(spec)));
}

const ARMS = { base: 'of the reference', other: 'of the candidate' };

/** Of all exposures. Blocks are matched within one. */
function sumOf(places: readonly LiveLabelled[]) {
  const [base, other] = [
    { units: 0, labelled: 0 },
    { units: 0, labelled: 0 },
  ];
  const blocks: Record<string, number> = {};
  for (const { candidate, reference, blocks: more = {} } of places) {
    add(base, reference);
    add(other, candidate);
    for (const [key, count] of Object.entries<number>(more))
      blocks[key] = (blocks[key] ?? 0) + count;
  }
  return { base, other, blocks: blocks as CoverageBlocks };
}

function add(to: { units: number; labelled: number }, { units, labelled }: LabelledUnits): void {
  to.units += units;
  to.labelled += labelled;
}

function isRequired({ steps }: RolloutSpec): boolean {
  return steps.some((step) => step.kind === 'analysis' && step.require.includes('liveLoss'));
}
