import { runSlicedSteps, runSteps, type TimeSlicer } from '../../concurrency/time-slicer.ts';
import { judgedSpec } from '../../core/holdback.ts';
import type {
  Effect,
  MetricDetail,
  ProvenMargin,
  ReportedMetric,
} from '../../core/metric-detail.ts';
import { type Decision, type Phase, type RolloutSpec, rulesOf } from '../../core/rollout.ts';
import type { Finding, MetricStatus, VerdictKind } from '../../core/verdict.ts';
import { metricDetail } from '../../decide/metric-detail.ts';
import { metricLabel } from '../../decide/metric-plans.ts';
import { reportedDetail, reportedMetrics } from '../../decide/reported-slices.ts';
import { stepTask } from '../action/describe.ts';
import type { Decide } from '../action/judge.ts';
import {
  type ExportedDecision,
  type GatheredRollout,
  gatherRollout,
  type ReadRecords,
  type RolloutName,
} from '../history/gathering.ts';
import type { Look } from '../history/recorded-look.ts';
import { Replaying } from '../history/replay.ts';

/** All that a ledger says of one rollout, to be kept or shown apart from it. Moments are wall-clock milliseconds. */
export type EvidenceExport = {
  readonly id: string;
  readonly spec: RolloutSpec;
  readonly rules: number;
  readonly steps: readonly string[];
  readonly phase: Phase;
  readonly startedMs: number;
  readonly digests: { readonly stable: string; readonly candidate: string };
  readonly verdict: VerdictKind | undefined;
  readonly reasons: readonly string[];
  /** As of the last look that judged them. */
  readonly metrics: readonly (MetricStatus & MetricDetail & { readonly label: string })[];
  /** Slices that are only shown, as of the last look. */
  readonly reported: readonly (ReportedMetric & MetricDetail)[];
  /** How the evidence grew: all looks on record, or as many as suffice for a plot. */
  readonly looks: readonly ExportedLook[];
  /** The candidate's share of live traffic from each moment on, in basis points. */
  readonly weights: readonly { readonly atMs: number; readonly weightBp: number }[];
  /** What was done, and on what ground; the newest where there are very many. */
  readonly decisions: readonly ExportedDecision[];
  /** The last record about the rollout, and its hash. */
  readonly record: number;
  readonly headHash: string;
};

export type ExportedLook = {
  readonly record: number;
  readonly atMs: number;
  readonly verdict: VerdictKind;
  readonly metrics: readonly ExportedMetric[];
  readonly reported: readonly Pick<ExportedMetric, 'label' | 'samples' | 'estimate' | 'effect'>[];
};

/** Natural logarithms of the two e-values and of what each must reach; the rest as in a status. */
export type ExportedMetric = {
  readonly label: string;
  readonly finding: Finding;
  readonly samples: number;
  readonly logHarm: number;
  readonly logHarmNeeded: number;
  readonly logSafe: number;
  readonly logSafeNeeded: number;
  readonly estimate: number | undefined;
  readonly limit: number | undefined;
  readonly effect: Effect | undefined;
  readonly proven: ProvenMargin | undefined;
};

/** The evidence of a rollout, and whether the ledger that it is from can be trusted. */
export type CheckedExport = {
  readonly evidence: EvidenceExport;
  /** The ledger's records when it was read, and the hash of the last: its chain is whole. */
  readonly chain: { readonly records: number; readonly head: string };
  /** Decisions of this rollout that were computed again, and those that do not follow from their evidence. */
  readonly replayed: { readonly decisions: number; readonly disagreements: number };
};

export type ExportOptions = {
  readonly decide: Decide;
  /** Interrupts the work for live requests; without one nothing does. */
  readonly slicer?: TimeSlicer;
};

/**
 * One rollout as a ledger tells it. Undefined: the ledger has none of that name. What is shown of each look is computed from its
 * evidence again, so it does not depend on what the gateway showed then. Reads the ledger twice, and throws LedgerBrokenError.
 */
export async function exportEvidence(
  read: ReadRecords,
  name: RolloutName,
  { decide, slicer }: ExportOptions,
): Promise<CheckedExport | undefined> {
  const run = <T>(steps: Generator<void, T>): T | Promise<T> =>
    slicer === undefined ? runSteps(steps) : runSlicedSteps(steps, slicer);
  const gathered = await gatherRollout(read, name, slicer);
  if (gathered === undefined) return undefined;
  const { trial, chain } = gathered;
  const { id } = trial.rollout;
  const replaying = new Replaying(decide, id);
  const looks: ExportedLook[] = [];
  let shown: Shown = { metrics: [], reported: [] };
  for await (const record of read()) {
    // What was written since is for the next export.
    if (record.index >= chain.records) break;
    const look = replaying.add(record);
    if (slicer?.isOver()) await slicer.next();
    if (look === undefined || !gathered.looks.has(record.index)) continue;
    const next = await run(detailed(look));
    looks.push(lookOf(record.index, look.decision, next));
    shown = withEarlier(shown, next);
  }
  const { decisions, disagreements } = replaying.report();
  const replayed = { decisions, disagreements: disagreements.length };
  return { evidence: exported(gathered, { looks, ...shown }), chain, replayed };
}

/** What a holdback judges no more stays as it was last. */
function withEarlier(before: Shown, now: Shown): Shown {
  const known = new Set(now.metrics.map(({ label }) => label));
  const earlier = before.metrics.filter(({ label }) => !known.has(label));
  return { ...now, metrics: [...now.metrics, ...earlier] };
}

type Shown = Pick<EvidenceExport, 'metrics' | 'reported'>;

function exported(
  { trial, weights, decisions }: GatheredRollout,
  shown: Shown & Pick<EvidenceExport, 'looks'>,
): EvidenceExport {
  const { rollout, digests, lastRecord, decision } = trial;
  const { spec } = rollout;
  return {
    id: rollout.id,
    spec,
    rules: rulesOf(spec),
    steps: spec.steps.map(stepTask),
    phase: rollout.phase,
    startedMs: rollout.startedMs,
    digests,
    verdict: decision?.verdict.kind,
    reasons: decision?.verdict.reasons ?? [],
    ...shown,
    weights,
    decisions,
    record: lastRecord.index,
    headHash: lastRecord.hash,
  };
}

function* detailed({ evidence, decision, before }: Look): Generator<void, Shown> {
  const spec = judgedSpec(before);
  const metrics: EvidenceExport['metrics'][number][] = [];
  for (const status of decision.verdict.metrics) {
    const detail = yield* metricDetail({ evidence, spec, status });
    metrics.push({ ...status, ...detail, label: metricLabel(status) });
  }
  const reported: EvidenceExport['reported'][number][] = [];
  for (const metric of reportedMetrics(evidence, spec))
    reported.push({ ...metric, ...(yield* reportedDetail(evidence, spec, metric)) });
  return { metrics, reported };
}

function lookOf(record: number, { atMs, verdict }: Decision, shown: Shown): ExportedLook {
  const metrics = shown.metrics.map((metric) => ({
    label: metric.label,
    finding: metric.finding,
    samples: metric.samples,
    logHarm: metric.logHarm,
    logHarmNeeded: metric.logHarmNeeded,
    logSafe: metric.logSafe,
    logSafeNeeded: metric.logSafeNeeded,
    estimate: metric.estimate,
    limit: metric.limit,
    effect: metric.effect,
    proven: metric.proven,
  }));
  const reported = shown.reported.map(({ label, samples, estimate, effect }) => ({
    ...{ label, samples, estimate, effect },
  }));
  return { record, atMs, verdict: verdict.kind, metrics, reported };
}
