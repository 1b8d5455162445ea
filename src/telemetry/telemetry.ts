/**
 * Listens to all parts and is part of no logic: what it hands out are listeners, and a page in Prometheus' text
 * format. Labels are bounded by what is configured, never by what callers send.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

import type { Clock } from '../core/clock.ts';
import type { ServeErrorCode } from '../core/errors.ts';
import type { ExportOutcome, OtlpSignal } from '../core/otlp.ts';
import type { Fallback, Tap } from '../core/outcome.ts';
import type { ModelVersion } from '../core/version.ts';
import type { WebhookResult } from '../core/webhook.ts';
import { addCallerMetrics, type CallerListeners } from './caller-metrics.ts';
import { addConfigMetrics } from './config-metrics.ts';
import { addExampleMetrics } from './example-metrics.ts';
import { FailureMetrics } from './failure-metrics.ts';
import { type HostEvents, HostMetrics } from './host-metrics.ts';
import { addLedgerMetrics, type LedgerView } from './ledger-metrics.ts';
import { MirrorMetrics, type MirrorResult } from './mirror-metrics.ts';
import { OPEN_METRICS, openMetricsText, takesOpenMetrics } from './open-metrics.ts';
import type { RegistryMetric } from './registry-metric.ts';
import { RequestRate } from './request-rate.ts';
import { RolloutMetrics, type RolloutView } from './rollout-metrics.ts';
import { ServingMetrics } from './serving-metrics.ts';
import { addTlsMetrics, type CertificateExpiries } from './tls-metrics.ts';
import { addTritonMetrics, type VersionTally } from './triton-metrics.ts';
import { addWebhookMetrics } from './webhook-metrics.ts';

export type TelemetryOptions = {
  /** The program's version. */
  readonly version: string;
  readonly clock: Pick<Clock, 'monotonicMs' | 'wallMs'>;
  /** Live requests in flight, called at each scrape. */
  readonly inFlight: () => number;
  /** Bytes held at present, by holder; called at each scrape. */
  readonly heldBytes: () => Readonly<Record<string, number>>;
  /** Rollouts of all models, oldest first within each; called at each scrape. */
  readonly rollouts: () => readonly RolloutView[];
  /** Whether the ledger takes records; called at each scrape. */
  readonly ledger: () => LedgerView;
  /** Events that wait, by webhook; called at each scrape. By default there are no webhooks. */
  readonly webhooksWaiting?: () => ReadonlyMap<string, number>;
  /** When the certificates of the ports expire, called at each scrape; undefined, or by default: no port has TLS. */
  readonly certificates?: () => CertificateExpiries | undefined;
  /** What versions have done, to be shown under Triton's names too, called at each scrape; undefined: it is not. */
  readonly triton?: (() => readonly VersionTally[]) | undefined;
};

export type Telemetry = CallerListeners & {
  /** For the gateway. */
  readonly tap: Tap;
  readonly onRefused: (model: string | undefined, code: ServeErrorCode) => void;
  readonly onFallback: (fallback: Fallback) => void;
  /** For hosts of one role: an arm, or `shadow`. */
  readonly hostListeners: (role: string) => HostEvents;
  /** For the mirror. */
  readonly onMirror: (event: MirrorResult, target: ModelVersion) => void;
  /** Takes each failed request of an arm of a rollout. */
  readonly onFailure: FailureMetrics['onFailure'];
  /** For reloads of the configuration: whether one succeeded. */
  readonly onConfigReload: (isSuccess: boolean) => void;
  /** For each connection of a port that did not become secure; both are from small, fixed sets. */
  readonly onTlsFault: (port: string, reason: string) => void;
  /** For exports by OTLP: what became of so many items. */
  readonly onExport: (signal: OtlpSignal, outcome: ExportOutcome, items: number) => void;
  /** For webhooks: what became of a delivery or a question. */
  readonly onWebhook: (hook: string, result: WebhookResult) => void;
  /** For the access log: so many lines were lost. */
  readonly onAccessLogDropped: (lines: number) => void;
  /** For kept examples: one of a model was lost. */
  readonly onExampleLost: (model: string, reason: string) => void;
  /** For every part. `operation` is a fixed word of the code. */
  readonly onInternalError: (operation: string) => void;
  /** The recent request rate of a model; undefined while there are too few requests to say. */
  readonly requestsPerSecond: (model: string) => number | undefined;
  /** The metrics as data. */
  readonly collect: () => Promise<readonly RegistryMetric[]>;
  /** The metrics as text, in the format that a scraper takes by its header `accept`. */
  readonly page: (
    accept: string | undefined,
  ) => Promise<{ readonly contentType: string; readonly text: string }>;
};

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const serving = new ServingMetrics(registry, options);
  addHeldBytes(registry, options.heldBytes);
  const rate = new RequestRate(options.clock);
  const hosts = new HostMetrics(registry);
  const mirror = new MirrorMetrics(registry);
  const failures = new FailureMetrics(registry);
  new RolloutMetrics(registry, options.rollouts);
  addLedgerMetrics(registry, options.ledger);
  const callers = addCallerMetrics(registry);
  const noHooks: ReadonlyMap<string, number> = new Map();
  const onWebhook = addWebhookMetrics(registry, options.webhooksWaiting ?? (() => noHooks));
  const onConfigReload = addConfigMetrics(registry, options.clock);
  const internalErrors = new Counter({
    name: 'understudy_internal_errors_total',
    help: 'Unexpected internal errors, by operation',
    labelNames: ['operation'],
    registers: [registry],
  });
  const exports = new Counter({
    name: 'understudy_otlp_items_total',
    help: 'Spans, log records and metrics for a collector, by outcome: sent, failed, or dropped because too many were waiting',
    labelNames: ['signal', 'outcome'],
    registers: [registry],
  });
  addBuildInfo(registry, options.version);
  if (options.triton !== undefined) addTritonMetrics(registry, options.triton);
  // The library's types have a number in place of the kind's name.
  const collect = async () => (await registry.getMetricsAsJSON()) as unknown as RegistryMetric[];
  return {
    tap: (request, assignment) => {
      rate.count(request.model);
      return serving.tap(request, assignment);
    },
    onRefused: serving.onRefused,
    onFallback: serving.onFallback,
    ...callers,
    hostListeners: (role) => hosts.listeners(role),
    onMirror: mirror.onMirror,
    onFailure: failures.onFailure,
    onConfigReload,
    onWebhook,
    onAccessLogDropped: addAccessLogMetrics(registry),
    onExampleLost: addExampleMetrics(registry),
    onTlsFault: addTlsMetrics(registry, options.certificates ?? (() => undefined)),
    onExport: (signal, outcome, items) => exports.inc({ signal, outcome }, items),
    onInternalError: (operation) => internalErrors.inc({ operation }),
    requestsPerSecond: (model) => rate.perSecond(model),
    collect,
    page: async (accept) =>
      takesOpenMetrics(accept)
        ? { contentType: OPEN_METRICS, text: openMetricsText(await collect()) }
        : { contentType: registry.contentType, text: await registry.metrics() },
  };
}

function addHeldBytes(registry: Registry, read: TelemetryOptions['heldBytes']): void {
  new Gauge({
    name: 'understudy_held_bytes',
    help: 'Bytes held by requests in flight (requests) or by copies for shadow hosts (mirror)',
    labelNames: ['by'],
    registers: [registry],
    collect() {
      for (const [by, bytes] of Object.entries(read())) this.set({ by }, bytes);
    },
  });
}

function addBuildInfo(registry: Registry, version: string): void {
  new Gauge({
    name: 'understudy_build_info',
    help: '1, labelled with the version of the program',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
}

function addAccessLogMetrics(registry: Registry): (lines: number) => void {
  const dropped = new Counter({
    name: 'understudy_access_log_dropped_lines_total',
    help: 'Lines of the access log that were lost: the disk or reader was behind, full or gone',
    registers: [registry],
  });
  return (lines) => dropped.inc(lines);
}
