import { runSteps } from '../../concurrency/time-slicer.ts';
import type { ProvenMargin } from '../../core/metric-detail.ts';
import type { Action, Margins, Phase } from '../../core/rollout.ts';
import type { Finding, MetricStatus, VerdictKind } from '../../core/verdict.ts';
import { metricDetail } from '../../decide/metric-detail.ts';
import { metricLabel } from '../../decide/metric-plans.ts';
import { type Decide, judge } from '../action/judge.ts';
import {
  gatherRollout,
  looksOf,
  type ReadRecords,
  type RecordedLook,
  type RolloutName,
} from '../history/gathering.ts';

/** The record and the moment, wall-clock milliseconds, at which something was first so. */
export type FirstLook = { readonly record: number; readonly atMs: number };

/** What a metric's evidence says under one set of margins. */
export type MarginFinding = {
  /** As a verdict words it. */
  readonly margin: string;
  /** At the last look. */
  readonly finding: Finding;
  /** The first look that found it so; undefined while it is undecided. */
  readonly since: FirstLook | undefined;
};

export type ReplayedMetric = {
  readonly label: string;
  readonly metric: MetricStatus['metric'];
  readonly role: MetricStatus['role'];
  readonly recorded: MarginFinding;
  readonly asked: MarginFinding;
  /**
   * The smallest margin that the evidence of some look proves, in the form of the rollout's own, and that over it. Undefined: none is
   * proven, or the metric cannot be asked about another margin.
   */
  readonly smallest: (ProvenMargin & FirstLook) | undefined;
};

/** Where another margin would have led to another verdict or action. */
export type ChangedLook = FirstLook & {
  readonly verdict: Sides<VerdictKind>;
  readonly action: Sides<Action['kind']>;
};

type Sides<T> = { readonly recorded: T; readonly asked: T };

/** What the recorded evidence of a rollout says under other margins than those that it was judged by. */
export type MarginReplay = {
  /** That it is no proof, in a sentence. */
  readonly caution: string;
  readonly id: string;
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  readonly phase: Phase['kind'];
  readonly startedMs: number;
  readonly looks: number;
  readonly margins: Sides<Margins>;
  /** At the last look; undefined: there was none. */
  readonly verdict: Sides<VerdictKind> | undefined;
  /** What the last look lacks for more than `inconclusive`, under the margins that are asked about. */
  readonly reasons: readonly string[];
  readonly metrics: readonly ReplayedMetric[];
  /** The first looks that differ. */
  readonly changed: readonly ChangedLook[];
};

export const CAUTION =
  'Exploration, not a proof: margins chosen after looking at the evidence keep no error budget. Set them before the next rollout.';

const CHANGED_MAX = 100;

export type MarginQuestion = {
  readonly name: RolloutName;
  /** The margins to ask about, by those of the rollout. */
  readonly marginsFrom: (own: Margins) => Margins;
  readonly decide: Decide;
};

/**
 * Judges the recorded looks of a rollout again under other margins, and finds the smallest margin that its evidence proves. `read`
 * reads the ledger from its beginning; it is called twice. Undefined: the ledger has no such rollout.
 *
 * The evidence is that of the recorded course: with other margins the rollout would have left its steps at other times.
 */
export async function replayMargins(
  read: ReadRecords,
  { name, marginsFrom, decide }: MarginQuestion,
): Promise<MarginReplay | undefined> {
  const gathered = await gatherRollout(read, name);
  if (gathered === undefined) return undefined;
  const { rollout } = gathered.trial;
  const { spec } = rollout;
  const margins = { recorded: spec.margins, asked: marginsFrom(spec.margins) };
  const found = new Findings(margins.asked, decide);
  const smallest = new Map<string, ProvenMargin & FirstLook>();
  for await (const look of looksOf(read, gathered)) {
    found.add(look);
    if (gathered.looks.has(look.index)) lower(smallest, look);
  }
  return {
    caution: CAUTION,
    id: rollout.id,
    model: spec.model,
    stable: spec.stable,
    candidate: spec.candidate,
    phase: rollout.phase.kind,
    startedMs: rollout.startedMs,
    margins,
    ...found.result(smallest),
  };
}

/** What the looks of a rollout found, one after the other, on both sides. */
class Findings {
  readonly #asked: Margins;
  readonly #decide: Decide;
  #looks = 0;
  #last: { readonly verdict: Sides<VerdictKind>; readonly reasons: readonly string[] } | undefined;
  #metrics: readonly Omit<ReplayedMetric, 'smallest'>[] = [];
  readonly #changed: ChangedLook[] = [];

  constructor(asked: Margins, decide: Decide) {
    this.#asked = asked;
    this.#decide = decide;
  }

  add({ index, before, evidence, decision, hooks }: RecordedLook): void {
    const { atMs } = decision;
    const look = { record: index, atMs };
    const rollout = { ...before, spec: { ...before.spec, margins: this.#asked } };
    const asked = judge(this.#decide, { rollout, evidence, atMs, hooks });
    const verdict = { recorded: decision.verdict.kind, asked: asked.verdict.kind };
    const action = { recorded: decision.action.kind, asked: asked.action.kind };
    this.#looks += 1;
    this.#last = { verdict, reasons: asked.verdict.reasons };
    this.#addFindings(look, {
      recorded: decision.verdict.metrics,
      asked: asked.verdict.metrics,
    });
    const isSame = verdict.recorded === verdict.asked && action.recorded === action.asked;
    if (!isSame && this.#changed.length < CHANGED_MAX)
      this.#changed.push({ ...look, verdict, action });
  }

  result(
    smallest: ReadonlyMap<string, ProvenMargin & FirstLook>,
  ): Pick<MarginReplay, 'looks' | 'verdict' | 'reasons' | 'metrics' | 'changed'> {
    return {
      looks: this.#looks,
      verdict: this.#last?.verdict,
      reasons: this.#last?.reasons ?? [],
      metrics: this.#metrics.map((metric) => ({
        ...metric,
        smallest: smallest.get(metric.label),
      })),
      changed: this.#changed,
    };
  }

  #addFindings(look: FirstLook, sides: Sides<readonly MetricStatus[]>): void {
    const before = new Map(this.#metrics.map((metric) => [metric.label, metric]));
    this.#metrics = sides.recorded.flatMap((recorded) => {
      const label = metricLabel(recorded);
      const asked = sides.asked.find((status) => metricLabel(status) === label);
      if (asked === undefined) return [];
      const { metric, role } = recorded;
      const earlier = before.get(label);
      return {
        label,
        metric,
        role,
        recorded: findingOf(recorded, look, earlier?.recorded),
        asked: findingOf(asked, look, earlier?.asked),
      };
    });
  }
}

function findingOf(
  { finding, margin }: MetricStatus,
  look: FirstLook,
  before: MarginFinding | undefined,
): MarginFinding {
  const isSame = before?.finding === finding;
  const since = finding === 'undecided' ? undefined : isSame ? before.since : look;
  return { margin, finding, since };
}

/** Takes over the margins that a look proves, where they are smaller. By the metrics' labels. */
function lower(
  smallest: Map<string, ProvenMargin & FirstLook>,
  { index: record, evidence, decision, before }: RecordedLook,
): void {
  for (const status of decision.verdict.metrics) {
    const { proven } = runSteps(metricDetail({ evidence, spec: before.spec, status }));
    const label = metricLabel(status);
    const least = smallest.get(label)?.ofMargin ?? Number.POSITIVE_INFINITY;
    if (proven !== undefined && proven.ofMargin < least)
      smallest.set(label, { ...proven, record, atMs: decision.atMs });
  }
}
