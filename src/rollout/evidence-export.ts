import { runSteps } from '../concurrency/time-slicer.ts';
import type { Effect, MetricDetail, ProvenMargin } from '../core/metric-detail.ts';
import type { LedgerRecord, RecordBody } from '../core/record.ts';
import {
  type Action,
  type Phase,
  type Rollout,
  type RolloutSpec,
  rulesOf,
} from '../core/rollout.ts';
import type { Finding, MetricStatus, VerdictKind } from '../core/verdict.ts';
import { metricDetail } from '../decide/metric-detail.ts';
import { metricLabel } from '../decide/metric-plans.ts';
import { stepTask } from './describe.ts';
import { NO_HISTORY, type Trial, withRecord } from './history.ts';
import { setWeightBp } from './route-for.ts';

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
  /** As of the last look. */
  readonly metrics: readonly (MetricStatus & MetricDetail & { readonly label: string })[];
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

export type ExportedDecision = {
  readonly record: number;
  readonly atMs: number;
  /** An action, a command of an operator, or the breaker. */
  readonly what: Action['kind'] | 'command' | 'breaker';
  readonly why: string;
  /** The metrics that decided it; empty where no metric did. */
  readonly decidedBy: readonly string[];
};

/** A plot is no sharper with more. */
const LOOKS_MAX = 200;
const DECISIONS_MAX = 1_000;

type DecisionRecord = LedgerRecord & { readonly body: Extract<RecordBody, { kind: 'decision' }> };

/**
 * One rollout as a ledger tells it: `name` is its id, or a model, whose latest rollout is meant. Undefined: the ledger has none of
 * that name. What is shown of each look is computed from its evidence again, so it does not depend on what the gateway showed then.
 */
export async function exportEvidence(
  records: AsyncIterable<LedgerRecord> | Iterable<LedgerRecord>,
  name: string,
): Promise<EvidenceExport | undefined> {
  const gathering = new Gathering(name);
  for await (const record of records) gathering.add(record);
  return gathering.result();
}

/** What is kept while a ledger is read: of one rollout at a time, the latest of that name. */
class Gathering {
  readonly #name: string;
  #history = NO_HISTORY;
  #trial: Trial | undefined;
  #looks: DecisionRecord[] = [];
  /** Every how many looks is kept; doubles as they become too many. */
  #every = 1;
  #seen = 0;
  #last: DecisionRecord | undefined;
  #weights: { readonly atMs: number; readonly weightBp: number }[] = [];
  #decisions: ExportedDecision[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  add(record: LedgerRecord): void {
    this.#history = withRecord(this.#history, record);
    const { body } = record;
    if (body.kind === 'rolloutStarted' && isNamed(body.rollout, this.#name)) this.#restart();
    const id = body.kind === 'rolloutStarted' ? body.rollout.id : this.#trial?.rollout.id;
    const trials = [...this.#history.values()].flatMap((model) => model.trials);
    const trial = trials.findLast(
      ({ rollout }) => rollout.id === id && isNamed(rollout, this.#name),
    );
    if (trial === undefined || trial.lastRecord.index !== record.index) return;
    this.#trial = trial;
    this.#addWeight(trial.rollout, record.atMs);
    this.#decisions = [...this.#decisions, ...decisionsOf(record)].slice(-DECISIONS_MAX);
    if (isDecision(record)) this.#addLook(record);
  }

  result(): EvidenceExport | undefined {
    const trial = this.#trial;
    if (trial === undefined) return undefined;
    const { rollout, digests, lastRecord } = trial;
    const { spec } = rollout;
    const last = this.#last;
    const looks =
      last === undefined || this.#looks.includes(last) ? this.#looks : [...this.#looks, last];
    const verdict = last?.body.decision.verdict;
    return {
      id: rollout.id,
      spec,
      rules: rulesOf(spec),
      steps: spec.steps.map(stepTask),
      phase: rollout.phase,
      startedMs: rollout.startedMs,
      digests,
      verdict: verdict?.kind,
      reasons: verdict?.reasons ?? [],
      metrics: last === undefined ? [] : detailed(last, spec),
      looks: looks.map((look) => lookOf(look, spec)),
      weights: this.#weights,
      decisions: this.#decisions,
      record: lastRecord.index,
      headHash: lastRecord.hash,
    };
  }

  #restart(): void {
    this.#looks = [];
    this.#every = 1;
    this.#seen = 0;
    this.#last = undefined;
    this.#weights = [];
    this.#decisions = [];
  }

  #addWeight(rollout: Rollout, atMs: number): void {
    const weightBp = setWeightBp(rollout);
    if (this.#weights.at(-1)?.weightBp !== weightBp) this.#weights.push({ atMs, weightBp });
  }

  #addLook(record: DecisionRecord): void {
    this.#last = record;
    if (this.#seen % this.#every === 0) this.#looks.push(record);
    this.#seen += 1;
    if (this.#looks.length <= LOOKS_MAX) return;
    this.#looks = this.#looks.filter((_, at) => at % 2 === 0);
    this.#every *= 2;
  }
}

function isNamed({ id, spec }: Rollout, name: string): boolean {
  return id === name || spec.model === name;
}

function isDecision(record: LedgerRecord): record is DecisionRecord {
  return record.body.kind === 'decision';
}

function decisionsOf({ index, atMs, body }: LedgerRecord): readonly ExportedDecision[] {
  const record = { record: index, atMs };
  switch (body.kind) {
    case 'decision': {
      const { action, verdict } = body.decision;
      if (action.kind === 'wait') return [];
      const decidedBy =
        action.kind === 'rollBack' ? action.decidedBy : provenBy(action, verdict.metrics);
      return [{ ...record, what: action.kind, why: action.why, decidedBy }];
    }
    case 'breaker': {
      const { cause, detail } = body.trip;
      return [{ ...record, what: 'breaker', why: `${cause}: ${detail}`, decidedBy: [] }];
    }
    case 'command': {
      const { command } = body;
      const why = 'reason' in command ? `${command.kind}: ${command.reason}` : command.kind;
      return [{ ...record, what: 'command', why, decidedBy: [] }];
    }
    default:
      return [];
  }
}

/** The metrics whose proof let a rollout promote. */
function provenBy(action: Action, metrics: readonly MetricStatus[]): readonly string[] {
  if (action.kind !== 'promote') return [];
  return metrics
    .filter(({ role, finding }) => role === 'gate' && finding === 'nonInferior')
    .map(metricLabel);
}

function detailed({ body }: DecisionRecord, spec: RolloutSpec): EvidenceExport['metrics'] {
  const { evidence, decision } = body;
  return decision.verdict.metrics.map((status) => ({
    ...status,
    ...runSteps(metricDetail({ evidence, spec, status })),
    label: metricLabel(status),
  }));
}

function lookOf(record: DecisionRecord, spec: RolloutSpec): ExportedLook {
  const { decision } = record.body;
  const metrics = detailed(record, spec).map((metric) => ({
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
  return { record: record.index, atMs: decision.atMs, verdict: decision.verdict.kind, metrics };
}
