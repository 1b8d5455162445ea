/** The exporters of the SDK, each loaded only for the protocol that is asked for. */
import type { logs, metrics, tracing } from '@opentelemetry/sdk-node';
import { messageOf } from '../../core/errors.ts';
import type { OtlpTarget } from '../../core/otlp.ts';

export async function traceExporter({ protocol, url }: OtlpTarget): Promise<tracing.SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-trace-otlp-grpc')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return made(() => new OTLPTraceExporter({ url }));
}

export async function metricExporter({
  protocol,
  url,
}: OtlpTarget): Promise<metrics.PushMetricExporter> {
  const { OTLPMetricExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-metrics-otlp-grpc')
      : await import('@opentelemetry/exporter-metrics-otlp-proto');
  return made(() => new OTLPMetricExporter({ url }));
}

export async function logExporter({ protocol, url }: OtlpTarget): Promise<logs.LogRecordExporter> {
  const { OTLPLogExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-logs-otlp-grpc')
      : await import('@opentelemetry/exporter-logs-otlp-proto');
  return made(() => new OTLPLogExporter({ url }));
}

/** gRPC's library refuses a header with its value in the message, which may be a credential. */
function made<Exporter>(make: () => Exporter): Exporter {
  try {
    return make();
  } catch (thrown) {
    if (!messageOf(thrown).startsWith('Metadata ')) throw thrown;
    const message =
      'OTEL_EXPORTER_OTLP_HEADERS, or its form for one signal: expected key=value pairs of printable ASCII, found another character';
    throw new Error(message);
  }
}
