/** The exporters of the SDK, each loaded only for the protocol that is asked for. */
import type { logs, metrics, tracing } from '@opentelemetry/sdk-node';
import type { OtlpTarget } from '../../core/otlp.ts';

export async function traceExporter({ protocol, url }: OtlpTarget): Promise<tracing.SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-trace-otlp-grpc')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url });
}

export async function metricExporter({
  protocol,
  url,
}: OtlpTarget): Promise<metrics.PushMetricExporter> {
  const { OTLPMetricExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-metrics-otlp-grpc')
      : await import('@opentelemetry/exporter-metrics-otlp-proto');
  return new OTLPMetricExporter({ url });
}

export async function logExporter({ protocol, url }: OtlpTarget): Promise<logs.LogRecordExporter> {
  const { OTLPLogExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-logs-otlp-grpc')
      : await import('@opentelemetry/exporter-logs-otlp-proto');
  return new OTLPLogExporter({ url });
}
