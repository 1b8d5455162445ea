import type { RegistryMetric, RegistryValue } from './registry-metric.ts';

/** The content type of OpenMetrics' text format, which has exemplars. */
export const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** True where a scraper takes OpenMetrics, as Prometheus does. */
export function takesOpenMetrics(accept: string | undefined): boolean {
  return accept?.includes('application/openmetrics-text') ?? false;
}

const TOTAL = '_total';

/** The metrics in OpenMetrics' text format, version 1.0. */
export function openMetricsText(metrics: readonly RegistryMetric[]): string {
  return `${metrics.map(familyText).join('')}# EOF\n`;
}

/** Counters end in `_total`, which their family does not; one of a foreign name is of an unknown kind. */
function familyText({ name, help, type, values }: RegistryMetric): string {
  const isTotal = type === 'counter' && name.endsWith(TOTAL);
  const family = isTotal ? name.slice(0, -TOTAL.length) : name;
  const kind = type === 'counter' && !isTotal ? 'unknown' : type;
  const lines = values.map((value) => sampleText(name, value));
  return [`# HELP ${family} ${escaped(help)}`, `# TYPE ${family} ${kind}`, ...lines, ''].join('\n');
}

function sampleText(name: string, { metricName, labels, value, exemplar }: RegistryValue): string {
  const sample = `${metricName ?? name}${labelsText(labels)} ${numberText(value)}`;
  if (exemplar === undefined || exemplar === null) return sample;
  const { labelSet, value: seen, timestamp } = exemplar;
  return `${sample} # ${labelsText(labelSet) || '{}'} ${numberText(seen)} ${timestamp}`;
}

function labelsText(labels: RegistryValue['labels']): string {
  const parts = Object.entries(labels)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}="${escaped(String(value)).replaceAll('"', '\\"')}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
