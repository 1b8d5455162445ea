import { Gauge, type Registry } from 'prom-client';

import type { AnchorStatus } from '../core/anchor.ts';
import { type Evidence, sliceKey } from '../core/evidence.ts';
import type { LabelEvidence } from '../core/label-evidence.ts';
import type { MetricDetail, ReportedMetric } from '../core/metric-detail.ts';
import type { MirrorHealth } from '../core/mirror-health.ts';
import type { Phase } from '../core/rollout.ts';
import { ALL_BP } from '../core/route.ts';
import type { Finding, MetricStatus, VerdictKind } from '../core/verdict.ts';

/** The part of a rollout's status that metrics show. */
export type RolloutView = {
  readonly model: string;
  readonly candidate: string;
  readonly phase: Phase['kind'];
  readonly step: { readonly number: number } | undefined;
  readonly setWeightBp: number;
  readonly verdict: VerdictKind | undefined;
  readonly metrics: readonly (MetricStatus & MetricDetail)[];
  readonly reported: readonly (ReportedMetric & MetricDetail)[];
  readonly mirrorHealth: MirrorHealth | undefined;
  readonly anchor: AnchorStatus | undefined;
  readonly labels: Evidence['labels'];
  readonly labelling: Omit<LabelEvidence, 'units'> | undefined;
};

const FINDING_VALUE = { worse: -1, undecided: 0, nonInferior: 1 } as const satisfies Record<
  Finding,
  number
>;

const PHASES = Object.keys({
  loading: true,
  progressing: true,
  paused: true,
  holdback: true,
  promoted: true,
  rolledBack: true,
  aborted: true,
} satisfies Record<Phase['kind'], true>);

const LABELS = ['model', 'candidate'] as const;

/** Each model's newest rollout. Read at each scrape, so it is never stale and costs nothing in between. */
export class RolloutMetrics {
  /** @param list rollouts of all models, oldest first within each. */
  constructor(registry: Registry, list: () => readonly RolloutView[]) {
    const newest = (): readonly RolloutView[] => [
      ...new Map(list().map((view) => [view.model, view])).values(),
    ];
    addPhase(registry, newest);
    addStep(registry, newest);
    addMirrorWorking(registry, newest);
    addMeasurable(registry, newest);
    addFindings(registry, newest);
    addAnchor(registry, newest);
    addLabels(registry, newest);
  }
}

type ReadViews = () => readonly RolloutView[];

function addPhase(registry: Registry, views: ReadViews): void {
  new Gauge({
    name: 'understudy_rollout_phase',
    help: "Phase of a model's newest rollout (1 for the current one): loading, progressing, paused, holdback, promoted, rolledBack or aborted",
    labelNames: [...LABELS, 'phase'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, candidate, phase } of views()) {
        for (const each of PHASES)
          this.set({ model, candidate, phase: each }, each === phase ? 1 : 0);
      }
    },
  });
}

function addStep(registry: Registry, views: ReadViews): void {
  new Gauge({
    name: 'understudy_rollout_step',
    help: "Current step of a model's newest rollout, counted from 1; 0 before it begins and after it has ended",
    labelNames: LABELS,
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, candidate, step } of views()) {
        this.set({ model, candidate }, step?.number ?? 0);
      }
    },
  });
  new Gauge({
    name: 'understudy_rollout_weight_ratio',
    help: "Candidate's share of live traffic in a model's newest rollout, 0 to 1",
    labelNames: LABELS,
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, candidate, setWeightBp } of views()) {
        this.set({ model, candidate }, setWeightBp / ALL_BP);
      }
    },
  });
}

/** As `up` in Prometheus: no sample where it is not known. */
function addMirrorWorking(registry: Registry, views: ReadViews): void {
  new Gauge({
    name: 'understudy_rollout_mirror_up',
    help: "1 while requests get through the mirror of a model's newest rollout, 0 while none does; absent while that is not known",
    labelNames: LABELS,
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, candidate, mirrorHealth } of views()) {
        if (mirrorHealth === undefined || mirrorHealth.state === 'unknown') continue;
        this.set({ model, candidate }, mirrorHealth.state === 'working' ? 1 : 0);
      }
    },
  });
}

/** Of a rollout that is judged. In a holdback nothing else shows that its verdict is `error`: the phase stays. */
function addMeasurable(registry: Registry, views: ReadViews): void {
  new Gauge({
    name: 'understudy_rollout_measurable',
    help: "1 while a model's newest rollout can be judged, 0 while its verdict is error; absent while there is none, and after its end",
    labelNames: LABELS,
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, candidate, phase, verdict } of views()) {
        if (verdict === undefined || !JUDGED.has(phase)) continue;
        this.set({ model, candidate }, verdict === 'error' ? 0 : 1);
      }
    },
  });
}

const JUDGED: ReadonlySet<Phase['kind']> = new Set(['progressing', 'paused', 'holdback']);

function addAnchor(registry: Registry, views: ReadViews): void {
  new Gauge({
    name: 'understudy_rollout_anchor_loss_spent',
    help: "Loss of a model's stable version less that of its anchor, as far as it was measured: what is used of the loss allowed since",
    labelNames: ['model', 'anchor'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, anchor } of views()) {
        if (anchor !== undefined) this.set({ model, anchor: anchor.version }, anchor.spent.loss);
      }
    },
  });
}

/** The metrics of a rollout with the labels that each has in Prometheus. */
function metricsOf({ model, candidate, metrics, reported }: RolloutView) {
  return [...metrics, ...reported].map((status: Shown) => {
    const slice = status.slice === undefined ? '' : sliceKey(status.slice);
    return { status, labels: { model, candidate, metric: status.metric, slice } };
  });
}

function addLabels(registry: Registry, views: ReadViews): void {
  new Gauge({
    name: 'understudy_rollout_labels',
    help: "Labels of a model's newest rollout, by what became of them: joined, unmatched, late, duplicate, conflicting, unknown, ambiguous, notSampled, notComparable or neither (they equal neither version's answer); and pairs that are waiting for their window to end, or were dropped before",
    labelNames: [...LABELS, 'state'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, candidate, labels, labelling } of views()) {
        const { late = 0, neither = 0, waiting = 0, dropped = 0 } = labelling ?? {};
        // Early labels that wait are no state of their own: here pairs wait.
        const states = { ...labelling?.states, ...labels, late, neither, waiting, dropped };
        for (const [state, count] of Object.entries(states))
          this.set({ model, candidate, state }, count);
      }
    },
  });
}

/** A slice that is only reported has no finding. */
type Shown = Omit<ReportedMetric, 'label'> & MetricDetail & Partial<Pick<MetricStatus, 'finding'>>;

type Read = (status: Shown) => number | undefined;

function addFindings(registry: Registry, views: ReadViews): void {
  const labelNames = [...LABELS, 'metric', 'slice'] as const;
  const addGauge = (name: string, help: string, read: Read): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, status } of views().flatMap(metricsOf)) {
          const value = read(status);
          // No sample where it is not known; the text format has no other way to say so.
          if (value !== undefined && Number.isFinite(value)) this.set(labels, value);
        }
      },
    });
  };
  addGauge(
    'understudy_rollout_metric_status',
    'Verdict on one metric, overall or of one slice: -1 worse, 0 undecided, 1 nonInferior',
    ({ finding }) => finding && FINDING_VALUE[finding],
  );
  addGauge(
    'understudy_rollout_metric_samples',
    'Samples of one metric: requests, pairs or units',
    (status) => status.samples,
  );
  addGauge(
    'understudy_rollout_metric_estimate',
    'Measured value of one metric; absent while there is none',
    (status) => status.estimate,
  );
  addGauge(
    'understudy_rollout_metric_limit',
    'What the estimate of one metric must stay below; absent while that is no one number',
    (status) => status.limit,
  );
  addGauge(
    'understudy_rollout_metric_effect',
    'Difference of candidate and reference in one metric, or share of slower runs',
    (status) => status.effect?.estimate,
  );
  addGauge(
    'understudy_rollout_metric_effect_lower',
    'Lower end of the 95 % confidence sequence of the effect',
    (status) => status.effect?.lower,
  );
  addGauge(
    'understudy_rollout_metric_effect_upper',
    'Upper end of the 95 % confidence sequence of the effect',
    (status) => status.effect?.upper,
  );
  addGauge(
    'understudy_rollout_metric_proven_margin_ratio',
    "Smallest margin proven so far over the rollout's own: at 1 and below its claim is proven; absent while none is",
    (status) => status.proven?.ofMargin,
  );
}
