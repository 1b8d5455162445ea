/**
 * OpenTelemetry: traces, metrics and logs to collectors, by OTLP. This file and what it imports are loaded only where that is
 * switched on: the SDK takes some 30 MB and a third of a second. Nothing is registered globally, so that a program that embeds
 * the gateway keeps an SDK of its own.
 */
import type { Tracer } from '@opentelemetry/api';
import { logs, metrics, resources, tracing } from '@opentelemetry/sdk-node';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { ExportOutcome, OtlpSettings, OtlpSignal } from '../../core/otlp.ts';
import type { Tap } from '../../core/outcome.ts';
import type { Random } from '../../core/random.ts';
import type { RecordBody } from '../../core/record.ts';
import type { RequestTraces } from '../../core/request-trace.ts';
import { logExporter, metricExporter, traceExporter } from './exporters.ts';
import { createLogBridge } from './log-bridge.ts';
import { type CollectMetrics, RegistryProducer } from './registry-producer.ts';
import { OtelRequestTraces } from './request-traces.ts';
import { type RolloutLook, RolloutTraces } from './rollout-traces.ts';
import { samplerOf } from './sampling.ts';
import { ShadowTraces } from './shadow-traces.ts';
import { WaitingRoom } from './waiting-room.ts';

export type OtelOptions = {
  readonly settings: OtlpSettings;
  /** The program's version. */
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The metrics as they are, called at each export. */
  readonly collectMetrics: CollectMetrics;
  /** Rollouts of all models, oldest first within each. */
  readonly rollouts: () => readonly RolloutLook[];
  readonly onExport: (signal: OtlpSignal, outcome: ExportOutcome, items: number) => void;
};

export type Otel = {
  /** The log, also sent to the collector where logs are. */
  readonly log: Log;
  /** Undefined: no traces are sent. */
  readonly traces: TraceParts | undefined;
  /** For the ledger: called with each record once it is written. */
  readonly onRecord: (body: RecordBody) => void;
  /** The span of a rollout, by its id; undefined: none is traced. */
  readonly traceparentOf: (rolloutId: string) => string | undefined;
  /** Sends what waits. May take as long as the exporters' time limits. Never rejects. */
  readonly close: () => Promise<void>;
};

export type TraceParts = {
  readonly tracer: Tracer;
  readonly requests: RequestTraces;
  readonly tap: Tap;
  readonly shadow: ShadowTraces;
};

/** Spans that wait or are on their way: some 4 MB. OTEL_BSP_MAX_QUEUE_SIZE. */
const SPANS_MAX = 4_096;
/** Spans of one message: encoding it keeps the event loop for a millisecond. OTEL_BSP_MAX_EXPORT_BATCH_SIZE. */
const SPANS_PER_MESSAGE = 128;
/** OTEL_BSP_SCHEDULE_DELAY. */
const SPANS_DELAY_MS = 1_000;
/** OTEL_BLRP_MAX_QUEUE_SIZE. */
const LOGS_MAX = 2_048;

const SCOPE = 'understudy';

type Part = { readonly shutdown: () => Promise<void> };

/** Loads the exporters and opens what the settings ask for. Connects to no collector yet. */
export async function openOtel(options: OtelOptions): Promise<Otel> {
  const { log, settings } = options;
  for (const message of settings.problems) log({ level: 'warn', message });
  const resource = resourceOf(options);
  const parts: Part[] = [];
  const traces = await openTraces(options, resource, parts);
  await openMetrics(options, resource, parts);
  const emit = await openLogs(options, resource, parts);
  const { clock, rollouts } = options;
  const trials = new RolloutTraces({
    ...{ clock, rollouts, tracer: traces?.tracer },
    emit: emit ?? (() => undefined),
  });
  return {
    log: emit === undefined ? log : both(log, emit),
    traces,
    onRecord: trials.onRecord,
    traceparentOf: trials.traceparentOf,
    close: async () => {
      trials.close();
      await Promise.allSettled(parts.map((part) => part.shutdown()));
    },
  };
}

function both(first: Log, second: Log): Log {
  return (entry) => {
    first(entry);
    second(entry);
  };
}

function resourceOf({ settings, version }: OtelOptions): resources.Resource {
  const { serviceName, resourceAttributes } = settings;
  return resources.resourceFromAttributes({
    'service.name': 'understudy',
    'service.version': version,
    'process.pid': process.pid,
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
    ...resourceAttributes,
    ...(serviceName !== undefined && { 'service.name': serviceName }),
  });
}

function roomFor(signal: OtlpSignal, itemsMax: number, options: OtelOptions): WaitingRoom {
  const { clock, onExport, log } = options;
  return new WaitingRoom({ signal, itemsMax, clock, onExport, log });
}

async function openTraces(
  options: OtelOptions,
  resource: resources.Resource,
  parts: Part[],
): Promise<TraceParts | undefined> {
  const { settings, version, clock, random } = options;
  const { targets, sampler, samplerArg, baggage } = settings;
  if (targets.traces === undefined) return undefined;
  const room = roomFor('traces', SPANS_MAX, options);
  const exporter = await traceExporter(targets.traces);
  const inner = new tracing.BatchSpanProcessor(
    {
      export: room.watch(exporter, (spans) => spans.length),
      shutdown: () => exporter.shutdown(),
    },
    {
      maxQueueSize: SPANS_MAX,
      maxExportBatchSize: SPANS_PER_MESSAGE,
      scheduledDelayMillis: SPANS_DELAY_MS,
    },
  );
  const bounded: tracing.SpanProcessor = {
    onStart: () => undefined,
    onEnd: (span) => {
      if (room.enter()) inner.onEnd(span);
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
  const provider = new tracing.BasicTracerProvider({
    resource,
    // Requests are sampled before there is a span.
    sampler: new tracing.AlwaysOnSampler(),
    spanProcessors: [bounded],
  });
  parts.push(provider);
  const tracer: Tracer = provider.getTracer(SCOPE, version);
  const { hasRoom } = room;
  const requests = new OtelRequestTraces({
    tracer,
    clock,
    hasRoom,
    baggage,
    sampler: samplerOf(sampler, samplerArg, random),
  });
  return {
    tracer,
    requests,
    tap: requests.tap,
    shadow: new ShadowTraces({ tracer, clock, hasRoom }),
  };
}

async function openMetrics(
  options: OtelOptions,
  resource: resources.Resource,
  parts: Part[],
): Promise<void> {
  const { settings, version, clock, collectMetrics } = options;
  if (settings.targets.metrics === undefined) return;
  const room = roomFor('metrics', 1, options);
  const exporter = await metricExporter(settings.targets.metrics);
  const reader = new metrics.PeriodicExportingMetricReader({
    exporter: {
      export: room.watch(exporter, ({ scopeMetrics }) =>
        scopeMetrics.reduce((sum, scope) => sum + scope.metrics.length, 0),
      ),
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    },
    exportIntervalMillis: settings.metricIntervalMs,
    exportTimeoutMillis: Math.min(settings.metricIntervalMs, EXPORT_TIMEOUT_MS),
    metricProducers: [
      new RegistryProducer({
        collect: collectMetrics,
        clock,
        resource,
        scope: { name: SCOPE, version },
      }),
    ],
  });
  parts.push(new metrics.MeterProvider({ resource, readers: [reader] }));
}

/** OTEL_METRIC_EXPORT_TIMEOUT. */
const EXPORT_TIMEOUT_MS = 30_000;

async function openLogs(
  options: OtelOptions,
  resource: resources.Resource,
  parts: Part[],
): Promise<Log | undefined> {
  const { settings, version, clock } = options;
  if (settings.targets.logs === undefined) return undefined;
  const room = roomFor('logs', LOGS_MAX, options);
  const exporter = await logExporter(settings.targets.logs);
  const watched: logs.LogRecordExporter = {
    export: room.watch(exporter, (records) => records.length),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
  const provider = new logs.LoggerProvider({
    resource,
    processors: [new logs.BatchLogRecordProcessor({ exporter: watched, maxQueueSize: LOGS_MAX })],
  });
  parts.push(provider);
  return createLogBridge({ logger: provider.getLogger(SCOPE, version), room, clock });
}
