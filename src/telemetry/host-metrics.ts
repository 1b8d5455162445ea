import { Counter, Gauge, type Registry } from 'prom-client';

import type { Joining } from '../core/joining.ts';
import type { ProviderReport } from '../core/provider.ts';
import type { ModelVersion, VersionState } from '../core/version.ts';
import { BoundHistogram, type Series } from './bound-histogram.ts';
import { LATENCY_BUCKETS, SIZE_BUCKETS } from './buckets.ts';
import { ProviderMetrics } from './provider-metrics.ts';

/** One batch that a host ran. */
export type BatchEvent = {
  readonly rows: number;
  readonly requests: number;
  readonly computeMs: number;
};

/** The events of a host. */
export type HostEvents = {
  readonly onState: (target: ModelVersion, state: VersionState) => void;
  readonly onBatch: (target: ModelVersion, batch: BatchEvent) => void;
  readonly onJoining: (target: ModelVersion, joining: Joining) => void;
  readonly onRecheck: (target: ModelVersion, isSame: boolean) => void;
  readonly onProvider: (target: ModelVersion, provider: ProviderReport) => void;
  readonly onCrash: (target: ModelVersion, crash: { readonly inFlight: number }) => void;
  readonly onCrashLoop: (target: ModelVersion, detail: string) => void;
};

const LABELS = ['model', 'version', 'role'] as const;
type Labels = Record<(typeof LABELS)[number], string>;

type BatchSeries = {
  readonly rows: Series;
  readonly requests: Series;
  readonly compute: Series;
};

/** Hosts: their batches, states and process exits. */
export class HostMetrics {
  readonly #rows: BoundHistogram<(typeof LABELS)[number]>;
  readonly #requests: BoundHistogram<(typeof LABELS)[number]>;
  readonly #compute: BoundHistogram<(typeof LABELS)[number]>;
  readonly #state: Gauge<'model' | 'version' | 'role' | 'state'>;
  readonly #joining: Gauge<'model' | 'version' | 'role' | 'rule'>;
  readonly #providers: ProviderMetrics;
  readonly #rechecks: Counter<'model' | 'version' | 'role' | 'result'>;
  readonly #crashes: Counter<(typeof LABELS)[number]>;
  readonly #lost: Counter<(typeof LABELS)[number]>;
  readonly #crashLoops: Counter<(typeof LABELS)[number]>;
  readonly #batches = new Map<string, BatchSeries>();

  constructor(registry: Registry) {
    const common = { labelNames: LABELS, registers: [registry] };
    this.#rows = new BoundHistogram({
      name: 'understudy_batch_rows',
      help: 'Rows per batch',
      buckets: SIZE_BUCKETS,
      ...common,
    });
    this.#requests = new BoundHistogram({
      name: 'understudy_batch_requests',
      help: 'Requests per batch',
      buckets: SIZE_BUCKETS,
      ...common,
    });
    this.#compute = new BoundHistogram({
      name: 'understudy_batch_compute_duration_seconds',
      help: 'Compute time of a batch',
      buckets: LATENCY_BUCKETS,
      ...common,
    });
    this.#state = new Gauge({
      name: 'understudy_host_state',
      help: 'State of a host (1 for the current one): loading, ready, draining, unloaded or failed',
      labelNames: [...LABELS, 'state'],
      registers: [registry],
    });
    this.#joining = new Gauge({
      name: 'understudy_batch_rule',
      help: 'Why requests share runs (declared, probed) or not (probing, off); 1 for the current rule',
      labelNames: [...LABELS, 'rule'],
      registers: [registry],
    });
    this.#providers = new ProviderMetrics(registry);
    this.#rechecks = new Counter({
      name: 'understudy_batch_rechecks_total',
      help: 'Batched requests that were run again alone, by result: same or different answer',
      labelNames: [...LABELS, 'result'],
      registers: [registry],
    });
    this.#crashes = new Counter({
      name: 'understudy_host_crashes_total',
      help: 'Unexpected host process exits',
      ...common,
    });
    this.#lost = new Counter({
      name: 'understudy_host_lost_requests_total',
      help: 'Requests in flight lost to unexpected host process exits',
      ...common,
    });
    this.#crashLoops = new Counter({
      name: 'understudy_host_crash_loops_total',
      help: 'Crash loops of host processes: three unexpected exits within a minute',
      ...common,
    });
  }

  /** Listeners for hosts of one role: `main`, `candidate`, `control`, or `shadow` for mirrored requests. */
  listeners(role: string): HostEvents {
    const labelsOf = ({ model, version }: ModelVersion): Labels => ({ model, version, role });
    return {
      onState: (target, state) => this.#enter(labelsOf(target), state),
      onBatch: (target, batch) => {
        const series = this.#batchSeries(target, role);
        series.rows.observe(batch.rows);
        series.requests.observe(batch.requests);
        series.compute.observe(batch.computeMs / 1_000);
      },
      onJoining: (target, joining) => this.#join(labelsOf(target), joining),
      onRecheck: (target, isSame) =>
        this.#rechecks.inc({ ...labelsOf(target), result: isSame ? 'same' : 'different' }),
      onProvider: (target, provider) => this.#providers.set(labelsOf(target), provider),
      onCrash: (target, { inFlight }) => {
        this.#crashes.inc(labelsOf(target));
        this.#lost.inc(labelsOf(target), inFlight);
      },
      onCrashLoop: (target) => this.#crashLoops.inc(labelsOf(target)),
    };
  }

  #enter(labels: Labels, now: VersionState): void {
    for (const state of STATES) this.#state.set({ ...labels, state }, state === now.kind ? 1 : 0);
  }

  #join(labels: Labels, joining: Joining): void {
    for (const rule of RULES) this.#joining.set({ ...labels, rule }, rule === joining.kind ? 1 : 0);
  }

  #batchSeries({ model, version }: ModelVersion, role: string): BatchSeries {
    const key = `${model}\0${version}\0${role}`;
    let series = this.#batches.get(key);
    if (series === undefined) {
      const labels = { model, version, role };
      series = {
        rows: this.#rows.series(labels),
        requests: this.#requests.series(labels),
        compute: this.#compute.series(labels),
      };
      this.#batches.set(key, series);
    }
    return series;
  }
}

const RULES = Object.keys({
  declared: true,
  probed: true,
  probing: true,
  off: true,
} satisfies Record<Joining['kind'], true>);

const STATES = Object.keys({
  loading: true,
  ready: true,
  draining: true,
  unloaded: true,
  failed: true,
} satisfies Record<VersionState['kind'], true>);
