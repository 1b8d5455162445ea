import { type Evidence, NO_EVIDENCE } from '../core/evidence.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import { alikeOfClaim } from '../stats/linear-claim.ts';
import { logEvidence, samplesToGo } from '../stats/mixture.ts';
import { armTotals } from './linear-rule.ts';
import { type LiveShares, liveSharesSince, type ShareMetric } from './live-shares.ts';

/** What is asked: is the candidate's rate at most `factor` times the whole claim, by what was seen since `before`? */
export type ClaimQuestion = {
  readonly evidence: Evidence;
  /** The evidence when what counts began, such as a step; undefined: all of it counts. */
  readonly before: Evidence | undefined;
  readonly spec: Pick<RolloutSpec, 'margins' | 'errorBudget'>;
  readonly metric: ShareMetric;
  /** 1 asks for the claim itself, 5 for ratio and absolute both fivefold. Above 0. */
  readonly factor: number;
};

/** How far a claim has been shown. Natural logarithms, of the e-value and of what it must reach. */
export type ShownClaim = {
  readonly isShown: boolean;
  readonly logSafe: number;
  readonly logSafeNeeded: number;
  /** Units of both arms that count. */
  readonly samples: number;
  /** How many more samples at the present estimate; undefined where that cannot be said. */
  readonly samplesToGo: number | undefined;
  /** What is missing or wrong, in words, where the claim cannot be judged. */
  readonly missing: string | undefined;
};

/** A claim of a step may be wrong so many times as often as a promotion, and in half of all cases at most. */
const STEP_TIMES = 4;
const STEP_ERROR_MAX = 0.5;

/**
 * The logarithm of the e-value that shows a step's claim. It may err more often than a verdict: how many users a bad candidate fails
 * until it is proven worse depends on its requests, which that proof takes at any share. The claim only limits how fast they come.
 */
export function logStepNeeded({ errorBudget }: Pick<RolloutSpec, 'errorBudget'>): number {
  return -Math.log(Math.min(STEP_ERROR_MAX, STEP_TIMES * errorBudget.falsePromotion));
}

/**
 * Whether a coarser claim than a rollout's own has been shown: what a step is left on. It is no verdict: a claim that is shown here
 * says nothing of the margin itself.
 */
export function claimShown(question: ClaimQuestion): ShownClaim {
  const { evidence, before, spec, metric, factor } = question;
  const logSafeNeeded = logStepNeeded(spec);
  const seen = liveSharesSince(metric, evidence, before ?? NO_EVIDENCE);
  const samples =
    armTotals(seen ?? [], 'candidate').units + armTotals(seen ?? [], 'reference').units;
  const why = whyMissing(seen);
  if (seen === undefined || why !== undefined) {
    return {
      isShown: false,
      logSafe: 0,
      logSafeNeeded,
      samples,
      samplesToGo: undefined,
      missing: why,
    };
  }
  const { ratio, absolute } = spec.margins[metric];
  // No candidate fails more often than always.
  const isCertain = factor * absolute >= 1;
  const safe = isCertain
    ? []
    : alikeOfClaim(seen, { ratio: factor * ratio, absolute: factor * absolute });
  const logSafe = isCertain ? logSafeNeeded : logEvidence(safe);
  return {
    isShown: logSafe >= logSafeNeeded,
    logSafe,
    logSafeNeeded,
    samples,
    samplesToGo: isCertain ? 0 : samplesToGo(safe, samples, logSafeNeeded),
    missing: undefined,
  };
}

function whyMissing(seen: readonly LiveShares[] | undefined): string | undefined {
  if (seen === undefined) return 'the live counts are not whole and consistent';
  const empty = (['candidate', 'reference'] as const).find(
    (arm) => armTotals(seen, arm).units === 0,
  );
  return empty && `no live requests of the ${empty}`;
}
