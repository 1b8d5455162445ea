/** How data reaches a collector. OTEL_EXPORTER_OTLP_PROTOCOL. */
export const OTLP_PROTOCOLS = ['http/protobuf', 'grpc'] as const;
export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number];

export const OTLP_SIGNALS = ['traces', 'metrics', 'logs'] as const;
export type OtlpSignal = (typeof OTLP_SIGNALS)[number];

/** Which requests are traced. OTEL_TRACES_SAMPLER. */
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/** Where one signal goes. */
export type OtlpTarget = { readonly protocol: OtlpProtocol; readonly url: string };

/** What is sent to collectors by OTLP. */
export type OtlpSettings = {
  readonly targets: { readonly [signal in OtlpSignal]?: OtlpTarget };
  readonly sampler: SamplerName;
  /** Of the samplers with a ratio: the share of requests that are traced, 0 to 1. OTEL_TRACES_SAMPLER_ARG. */
  readonly samplerArg: number;
  /** Keys of W3C baggage that become attributes of a request's span. */
  readonly baggage: readonly string[];
  /** OTEL_METRIC_EXPORT_INTERVAL, milliseconds. */
  readonly metricIntervalMs: number;
  /** OTEL_SERVICE_NAME. */
  readonly serviceName: string | undefined;
  /** OTEL_RESOURCE_ATTRIBUTES. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** Variables that were not understood, as sentences: their defaults hold, as OpenTelemetry asks. */
  readonly problems: readonly string[];
};

/** What became of spans, log records or metrics that were to be sent. `dropped`: more were waiting than may. */
export type ExportOutcome = 'sent' | 'failed' | 'dropped';
