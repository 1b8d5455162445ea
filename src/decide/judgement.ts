import { falseRollbackOf } from '../core/holdback.ts';
import { falsePromotionOf, type RolloutSpec } from '../core/rollout.ts';
import type { Finding, MetricStatus } from '../core/verdict.ts';
import { logEvidence, type Mixture, samplesToGo } from '../stats/mixture.ts';
import type { MetricPlan } from './metric-plans.ts';
import { leastToGo, type Outlook } from './outlook.ts';

/** What a rule makes of the evidence for its metric, before the error budget is laid against it. */
export type Judgement = {
  readonly samples: number;
  /** How long a sample takes on the average, in milliseconds, where samples are blocks of time. */
  readonly sampleMs?: number | undefined;
  readonly candidateEvents: number;
  readonly referenceEvents: number;
  readonly estimate: number | undefined;
  readonly margin: string;
  /** As of a MetricStatus. */
  readonly claim?: 'superior' | undefined;
  readonly proof: Proof;
};

export type Proof =
  | { readonly kind: 'missing'; readonly why: string }
  | {
      readonly kind: 'evidence';
      /** Of the e-value for "worse". */
      readonly logHarm: number;
      /** The e-process for "no worse"; undefined if the rule can only reject. */
      readonly safe: Mixture | undefined;
      /** The e-process for "better"; undefined where that is not tested. */
      readonly better?: Mixture | undefined;
      /** Why neither is to be believed yet, regardless of the e-processes. */
      readonly held?: string | undefined;
      /** What more samples could show at best; absent where samples are no requests, pairs or labels. */
      readonly outlook?: Outlook | undefined;
    };

/** The proof of a metric that cannot be judged. Logarithms of 1: no evidence for anything. */
export function missing(why: string): Proof {
  return { kind: 'missing', why };
}

/**
 * Lays the error budget against a rule's judgement. Harm needs the metric's own share of the false-rollback budget (any of
 * the metrics may reject). Safety needs the false-promotion budget, which attempts share and metrics do not: all gating metrics must show it, so the chance that
 * a candidate passes which is worse on some metric is at most the chance that it passes on that one.
 */
export function statusOf(plan: MetricPlan, judgement: Judgement, spec: RolloutSpec): MetricStatus {
  const { proof } = judgement;
  const logHarmNeeded = -Math.log(plan.weight * falseRollbackOf(spec));
  const logSafeNeeded = -Math.log(falsePromotionOf(spec));
  const safe = proof.kind === 'evidence' ? proof.safe : undefined;
  const logHarm = proof.kind === 'evidence' ? proof.logHarm : 0;
  const logSafe = safe === undefined ? 0 : logEvidence(safe);
  const broken = [logHarm, logSafe, logHarmNeeded, logSafeNeeded].some((x) => !Number.isFinite(x));
  const held = proof.kind === 'evidence' && proof.held !== undefined;
  const finding = findingOf({
    worse: logHarm >= logHarmNeeded,
    safe: logSafe >= logSafeNeeded && !held,
  });
  const settled: Finding = broken || proof.kind === 'missing' ? 'undecided' : finding;
  const isOpen = plan.role === 'gate' && settled !== 'worse' && !broken;
  const toGo =
    isOpen && safe !== undefined ? samplesToGo(safe, judgement.samples, logSafeNeeded) : undefined;
  const { metric, slice } = plan.key;
  return {
    metric,
    slice,
    finding: settled,
    role: plan.role,
    logHarm: plain(logHarm),
    logHarmNeeded,
    logSafe: plain(logSafe),
    logSafeNeeded,
    ...(judgement.claim && { claim: judgement.claim }),
    ...superiority(judgement, { logSafeNeeded, isOpen: !broken && !held }),
    samples: judgement.samples,
    candidateEvents: judgement.candidateEvents,
    referenceEvents: judgement.referenceEvents,
    estimate: judgement.estimate,
    margin: judgement.margin,
    samplesToGo: toGo,
    ...timeToGo(toGo, judgement),
    ...(isOpen && settled !== 'nonInferior' && atBest(judgement, { spec, logSafeNeeded })),
    missing: whatIsMissing(plan, proof, broken),
  };
}

function superiority(
  { proof }: Judgement,
  { logSafeNeeded, isOpen }: { readonly logSafeNeeded: number; readonly isOpen: boolean },
): Pick<MetricStatus, 'superior'> {
  if (proof.kind === 'missing' || proof.better === undefined) return {};
  return { superior: isOpen && logEvidence(proof.better) >= logSafeNeeded };
}

/** Worse comes first: where both are claimed, the side that protects users is believed. */
function findingOf(claims: { readonly worse: boolean; readonly safe: boolean }): Finding {
  if (claims.worse) return 'worse';
  return claims.safe ? 'nonInferior' : 'undecided';
}

function timeToGo(toGo: number | undefined, { sampleMs }: Judgement): Pick<MetricStatus, 'msToGo'> {
  if (toGo === undefined || sampleMs === undefined) return {};
  return { msToGo: Math.ceil(toGo * sampleMs) };
}

/** Fewer samples say too little of those to come. */
const OUTLOOK_MIN = 100;

/** How far the claim is at best, where the rollout has a maximum of samples. */
function atBest(
  { samples, proof }: Judgement,
  {
    spec: { maxSamples },
    logSafeNeeded,
  }: { readonly spec: RolloutSpec; readonly logSafeNeeded: number },
): Pick<MetricStatus, 'atBest'> {
  if (maxSamples === undefined || proof.kind === 'missing' || proof.outlook === undefined)
    return {};
  const most = Math.max(0, maxSamples - samples);
  if (samples < OUTLOOK_MIN && most > 0) return {};
  const toGo = leastToGo(proof.outlook, { needed: logSafeNeeded, most });
  return { atBest: toGo === undefined ? 'futile' : { samplesToGo: toGo } };
}

function whatIsMissing(plan: MetricPlan, proof: Proof, broken: boolean): string | undefined {
  if (proof.kind === 'missing') return proof.why;
  if (broken) return 'its numbers are not finite';
  if (proof.held !== undefined) return proof.held;
  if (plan.role === 'gate' && proof.safe === undefined)
    return 'it can only reject, so it can never be required';
  return undefined;
}

/** JSON knows neither minus zero nor infinities; a record must read back as it was written. */
function plain(value: number): number {
  return Number.isFinite(value) ? value + 0 : 0;
}
