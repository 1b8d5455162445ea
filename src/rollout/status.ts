import type { AnchorStatus } from '../core/anchor.ts';
import { type AttemptShare, attemptShare } from '../core/attempt.ts';
import type { Evidence, FailuresByArm, MirrorCounts } from '../core/evidence.ts';
import { holdbackOf } from '../core/holdback.ts';
import type { LabelEvidence } from '../core/label-evidence.ts';
import type { MetricDetail, ReportedMetric } from '../core/metric-detail.ts';
import type { MirrorHealth } from '../core/mirror-health.ts';
import {
  type Decision,
  type Intent,
  isFinal,
  type Phase,
  type QualityClaim,
  type Rollout,
  type Step,
} from '../core/rollout.ts';
import { ALL_BP } from '../core/route.ts';
import type { MetricStatus, VerdictKind } from '../core/verdict.ts';
import { metricLabel } from '../decide/metric-plans.ts';
import { reportedMetrics } from '../decide/reported-slices.ts';
import { candidateRequests, stepOf } from './action/advance.ts';
import { stepTask } from './action/describe.ts';
import { loadingText } from './action/next-action.ts';
import type { Trial } from './history/history.ts';
import { setWeightBp } from './history/route-for.ts';

/** All that is shown of a rollout, as the admin API gives it. Weights in basis points, moments in wall-clock milliseconds. */
export type RolloutStatus = {
  readonly id: string;
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  readonly intent: Intent;
  readonly claim: QualityClaim;
  readonly phase: Phase['kind'];
  /** The present step, counted from 1, from when the trial begins until it ends. */
  readonly step:
    | {
        readonly number: number;
        readonly of: number;
        readonly kind: Step['kind'];
        readonly task: string;
      }
    | undefined;
  /** What stays, or stayed, on the former version after the promotion; absent where nothing did. */
  readonly holdback?: {
    readonly percent: number;
    readonly sinceMs: number;
    /** When it ends by itself; absent once it has ended. */
    readonly untilMs?: number;
  };
  readonly setWeightBp: number;
  /** As the evidence shows it; undefined before the candidate or its reference has answered anything at this share. */
  readonly actualWeightBp: number | undefined;
  readonly verdict: VerdictKind | undefined;
  /** The details are there for each model's latest rollout. */
  readonly metrics: readonly (MetricStatus & MetricDetail & { readonly label: string })[];
  /** Slices that are only shown (`gate: false`); with details as `metrics`. */
  readonly reported: readonly (ReportedMetric & MetricDetail)[];
  readonly reasons: readonly string[];
  /** Which attempt at these weights it is, and the false promotions that it may cost; undefined where attempts are not counted. */
  readonly attempt: AttemptShare | undefined;
  /** What allowed loss adds up against at present; only for the model's latest rollout, and where there is one. */
  readonly anchor: AnchorStatus | undefined;
  /** What ended the rollout for the worse; empty otherwise. */
  readonly decidedBy: readonly string[];
  /** What it waits for, or why it ended: one sentence with numbers. */
  readonly why: string;
  readonly candidateRequests: number;
  readonly minRequests: number;
  readonly mirror: MirrorCounts;
  /** Whether known requests and live ones get through the mirror. */
  readonly mirrorHealth: MirrorHealth | undefined;
  readonly labels: { readonly joined: number; readonly unmatched: number };
  /** Failed requests by kind, mirrored and live; absent under rules 1. */
  readonly failures: FailuresByArm | undefined;
  /** When labels came and which pairs wait for them; undefined for a rollout of before rules 2. */
  /** Without the filter of counted units, which is of no use to a reader and may have 170 KB. */
  readonly labelling: Omit<LabelEvidence, 'units'> | undefined;
  readonly startedMs: number;
  readonly endedMs: number | undefined;
  readonly durationMs: number;
  readonly maxDurationMs: number;
  /** Undefined: there is no maximum. */
  readonly maxSamples: number | undefined;
  readonly digests: { readonly stable: string; readonly candidate: string };
  /** The last record about this rollout, and its hash. */
  readonly record: number;
  readonly headHash: string;
  /** False while the rollout has ended and the ledger has not taken the record of that. */
  readonly onRecord: boolean;
  /** `healthy`, or `degraded` with the cause: no rollout moves on while the ledger takes no records. */
  readonly ledger: string;
};

/** The evidence and decision of a look that was not worth a record of its own. */
export type LatestLook = { readonly evidence: Evidence; readonly decision: Decision };

/** The status of a trial at a moment; the latest look wins over the recorded one. */
export function statusOf(
  trial: Trial,
  look: LatestLook | undefined,
  nowMs: number,
): Omit<RolloutStatus, 'onRecord' | 'ledger' | 'mirrorHealth' | 'anchor'> {
  const { rollout, digests, lastRecord } = trial;
  const { spec, phase } = rollout;
  const evidence = look?.evidence ?? trial.evidence;
  const decision = look?.decision ?? trial.decision;
  const endedMs = 'atMs' in phase ? phase.atMs : undefined;
  return {
    id: rollout.id,
    model: spec.model,
    stable: spec.stable,
    candidate: spec.candidate,
    intent: spec.intent,
    claim: spec.claim ?? 'noWorse',
    phase: phase.kind,
    step: stepStatus(rollout),
    ...holdbackStatus(rollout),
    setWeightBp: setWeightBp(rollout),
    actualWeightBp: actualWeightBp(rollout, evidence),
    verdict: decision?.verdict.kind,
    metrics: (decision?.verdict.metrics ?? []).map((one) => ({ ...one, label: metricLabel(one) })),
    reported: reportedMetrics(evidence, spec),
    reasons: decision?.verdict.reasons ?? [],
    attempt: attemptShare(spec.attempt, spec.errorBudget.falsePromotion),
    decidedBy: phase.kind === 'rolledBack' ? phase.decidedBy : [],
    why: whyOf(rollout, decision),
    candidateRequests: candidateRequests(evidence),
    minRequests: spec.minRequests,
    mirror: evidence.mirror,
    labels: evidence.labels,
    failures: evidence.failures,
    labelling: shownLabels(evidence.labelling),
    startedMs: rollout.startedMs,
    endedMs,
    durationMs: (endedMs ?? nowMs) - rollout.startedMs,
    maxDurationMs: spec.maxDurationMs,
    maxSamples: spec.maxSamples,
    digests,
    record: lastRecord.index,
    headHash: lastRecord.hash,
  };
}

function holdbackStatus({
  spec,
  phase,
  heldBackSinceMs: sinceMs,
}: Rollout): Pick<RolloutStatus, 'holdback'> {
  const holdback = holdbackOf(spec);
  if (holdback === undefined || sinceMs === undefined) return {};
  const until = phase.kind === 'holdback' ? { untilMs: phase.untilMs } : {};
  return { holdback: { percent: holdback.percent, sinceMs, ...until } };
}

function shownLabels(labelling: LabelEvidence | undefined): RolloutStatus['labelling'] {
  if (labelling === undefined) return undefined;
  const { units: _, ...shown } = labelling;
  return shown;
}

function stepStatus(rollout: Rollout): RolloutStatus['step'] {
  if (isFinal(rollout.phase) || rollout.phase.kind === 'loading') return undefined;
  const index = stepOf(rollout.phase);
  const step = rollout.spec.steps[index];
  if (step === undefined) return undefined;
  return {
    number: index + 1,
    of: rollout.spec.steps.length,
    kind: step.kind,
    task: stepTask(step),
  };
}

/**
 * Candidate and reference together hold a known part of the traffic; how it fell between them says what the candidate's
 * share really was: (candidateBp + referenceBp) * candidate / (candidate + reference).
 */
function actualWeightBp(rollout: Rollout, evidence: Evidence): number | undefined {
  const setBp = setWeightBp(rollout);
  if (setBp === 0 || setBp === ALL_BP) return setBp;
  if (rollout.phase.kind === 'holdback') return heldBackWeightBp(setBp, evidence);
  for (const [key, counts] of Object.entries(evidence.live)) {
    const [candidateBp = 0, referenceBp = 0] = key.split(':').map(Number);
    const answered = counts.candidate.requests + counts.reference.requests;
    if (candidateBp !== setBp || answered === 0) continue;
    return Math.round(((candidateBp + referenceBp) * counts.candidate.requests) / answered);
  }
  return undefined;
}

/** The former version and a part of the candidate's traffic as large hold a known part; the rest is the candidate's. */
function heldBackWeightBp(setBp: number, evidence: Evidence): number | undefined {
  const heldBp = ALL_BP - setBp;
  const counts = evidence.live[`${heldBp}:${heldBp}`];
  const [mine, former] = [counts?.candidate.requests ?? 0, counts?.reference.requests ?? 0];
  if (mine + former === 0) return undefined;
  return Math.round(ALL_BP - (2 * heldBp * former) / (mine + former));
}

function whyOf({ phase, spec }: Rollout, decision: Decision | undefined): string {
  switch (phase.kind) {
    case 'loading':
      return loadingText(spec);
    case 'progressing':
      return decision?.action.why ?? 'has just begun';
    case 'paused':
      return decision?.verdict.kind === 'error'
        ? `${phase.why}; ${decision.action.why}`
        : phase.why;
    case 'holdback':
      return decision?.action.why ?? 'the holdback has just begun';
    case 'promoted':
      if (phase.why !== undefined) return phase.why;
      return decision?.action.kind === 'promote' ? decision.action.why : 'promoted by hand';
    case 'rolledBack':
    case 'aborted':
      return phase.why;
  }
}
