import { ValueType } from '@opentelemetry/api';
import { metrics, type resources } from '@opentelemetry/sdk-node';
import type { Clock } from '../../core/clock.ts';
import type { RegistryMetric, RegistryValue } from '../registry-metric.ts';

export type CollectMetrics = () => Promise<readonly RegistryMetric[]>;

export type RegistryProducerOptions = {
  readonly collect: CollectMetrics;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly resource: resources.Resource;
  readonly scope: { readonly name: string; readonly version: string };
};

type Interval = { readonly startTime: [number, number]; readonly endTime: [number, number] };

/**
 * Hands the metrics of the Prometheus registry to the SDK under the same names, so that there is one source for both. Totals are
 * cumulative since the start of the process.
 */
export class RegistryProducer implements metrics.MetricProducer {
  readonly #options: RegistryProducerOptions;
  readonly #startTime: [number, number];

  constructor(options: RegistryProducerOptions) {
    this.#options = options;
    this.#startTime = hrTime(options.clock.wallMs());
  }

  async collect(): Promise<metrics.CollectionResult> {
    const { collect, clock, resource, scope } = this.#options;
    const found = await collect();
    const interval = { startTime: this.#startTime, endTime: hrTime(clock.wallMs()) };
    const all = found.flatMap((metric) => metricData(metric, interval) ?? []);
    return {
      resourceMetrics: { resource, scopeMetrics: [{ scope, metrics: all }] },
      errors: [],
    };
  }
}

function hrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}

/** Undefined: OTLP has no such kind that the SDK can send, or the metric has no values yet. */
function metricData(metric: RegistryMetric, interval: Interval): metrics.MetricData | undefined {
  const { name, help, type, values } = metric;
  if (values.length === 0) return undefined;
  const descriptor = { name, description: help, unit: unitOf(name), valueType: ValueType.DOUBLE };
  const aggregationTemporality = metrics.AggregationTemporality.CUMULATIVE;
  const common = { descriptor, aggregationTemporality };
  switch (type) {
    case 'counter':
      return {
        ...common,
        dataPointType: metrics.DataPointType.SUM,
        isMonotonic: true,
        dataPoints: pointsOf(values, interval),
      };
    case 'gauge':
      return {
        ...common,
        dataPointType: metrics.DataPointType.GAUGE,
        dataPoints: pointsOf(values, interval),
      };
    case 'histogram':
      return {
        ...common,
        dataPointType: metrics.DataPointType.HISTOGRAM,
        dataPoints: histogramsOf(values, interval),
      };
    default:
      return undefined;
  }
}

/** By the end of the name, as Prometheus has it; UCUM's letters. */
function unitOf(name: string): string {
  if (/_seconds(_total)?$/.test(name)) return 's';
  return /_bytes(_total)?$/.test(name) ? 'By' : '';
}

function pointsOf(
  values: readonly RegistryValue[],
  interval: Interval,
): metrics.DataPoint<number>[] {
  return values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ value, labels }) => ({ ...interval, attributes: attributesOf(labels), value }));
}

function attributesOf(labels: RegistryValue['labels']): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) {
    if (name !== 'le' && value !== undefined) attributes[name] = String(value);
  }
  return attributes;
}

type Row = {
  readonly attributes: Record<string, string>;
  readonly boundaries: number[];
  /** Cumulated, as Prometheus has them, the last beyond all boundaries. */
  readonly cumulated: number[];
  sum: number;
  count: number;
};

/** Prometheus cumulates the counts of buckets, OTLP does not. */
function histogramsOf(
  values: readonly RegistryValue[],
  interval: Interval,
): metrics.DataPoint<metrics.Histogram>[] {
  const rows = new Map<string, Row>();
  for (const { value, labels, metricName = '' } of values) {
    const attributes = attributesOf(labels);
    const key = JSON.stringify(attributes);
    const row = rows.get(key) ?? { attributes, boundaries: [], cumulated: [], sum: 0, count: 0 };
    rows.set(key, row);
    if (metricName.endsWith('_bucket')) {
      const edge = Number(labels['le']);
      if (labels['le'] !== '+Inf') row.boundaries.push(edge);
      row.cumulated.push(value);
    } else if (metricName.endsWith('_sum')) row.sum = value;
    else row.count = value;
  }
  return [...rows.values()].map(({ attributes, boundaries, cumulated, sum, count }) => ({
    ...interval,
    attributes,
    value: {
      buckets: {
        boundaries,
        counts: cumulated.map((total, at) => total - (at === 0 ? 0 : (cumulated[at - 1] ?? 0))),
      },
      sum,
      count,
    },
  }));
}
