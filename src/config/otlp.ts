import {
  OTLP_PROTOCOLS,
  OTLP_SIGNALS,
  type OtlpProtocol,
  type OtlpSettings,
  type OtlpSignal,
  type OtlpTarget,
  SAMPLERS,
} from '../core/otlp.ts';
import { isEndpoint, type OtlpSection } from './otlp-section.ts';

/** The OTEL_* variables that count here; the exporters read those of headers, certificates and compression themselves. */
export type OtlpVariables = {
  readonly OTEL_SDK_DISABLED?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_METRICS_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_LOGS_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_PROTOCOL?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_TRACES_PROTOCOL?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_METRICS_PROTOCOL?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_LOGS_PROTOCOL?: string | undefined;
  readonly OTEL_TRACES_EXPORTER?: string | undefined;
  readonly OTEL_METRICS_EXPORTER?: string | undefined;
  readonly OTEL_LOGS_EXPORTER?: string | undefined;
  readonly OTEL_TRACES_SAMPLER?: string | undefined;
  readonly OTEL_TRACES_SAMPLER_ARG?: string | undefined;
  readonly OTEL_METRIC_EXPORT_INTERVAL?: string | undefined;
  readonly OTEL_SERVICE_NAME?: string | undefined;
  readonly OTEL_RESOURCE_ATTRIBUTES?: string | undefined;
};

/** In the order of their documentation. */
const NAMES = [
  'OTEL_SDK_DISABLED',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
  'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL',
  'OTEL_EXPORTER_OTLP_LOGS_PROTOCOL',
  'OTEL_TRACES_EXPORTER',
  'OTEL_METRICS_EXPORTER',
  'OTEL_LOGS_EXPORTER',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_METRIC_EXPORT_INTERVAL',
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
] as const satisfies readonly (keyof OtlpVariables)[];

/** The variables that are set; an empty one counts as absent. */
export function readOtlpVariables(variables: OtlpVariables): OtlpVariables {
  const found: { -readonly [name in keyof OtlpVariables]: string } = {};
  for (const name of NAMES) {
    const value = variables[name]?.trim();
    if (value) found[name] = value;
  }
  return found;
}

const DEFAULT_PORTS: Readonly<Record<OtlpProtocol, number>> = {
  'http/protobuf': 4318,
  grpc: 4317,
};

/**
 * What the variables and the section `telemetry.otlp` come to together. A variable wins over the key that it stands for.
 * Undefined: nothing is sent.
 */
export function otlpSettings(
  section: OtlpSection | undefined,
  variables: OtlpVariables = {},
): OtlpSettings | undefined {
  if (variables.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined;
  const problems: string[] = [];
  const reading: Reading = { section, variables, problems };
  const targets: { [signal in OtlpSignal]?: OtlpTarget } = {};
  for (const signal of OTLP_SIGNALS) {
    const target = targetOf(signal, reading);
    if (target !== undefined) targets[signal] = target;
  }
  if (Object.keys(targets).length === 0) return undefined;
  return {
    targets,
    ...samplingOf(reading),
    baggage: section?.baggage ?? [],
    metricIntervalMs: intervalOf(reading),
    serviceName: variables.OTEL_SERVICE_NAME,
    resourceAttributes: attributesOf(reading),
    problems,
  };
}

type Reading = {
  readonly section: OtlpSection | undefined;
  readonly variables: OtlpVariables;
  readonly problems: string[];
};

type Upper = 'TRACES' | 'METRICS' | 'LOGS';
const UPPER: Readonly<Record<OtlpSignal, Upper>> = {
  traces: 'TRACES',
  metrics: 'METRICS',
  logs: 'LOGS',
};

function targetOf(signal: OtlpSignal, reading: Reading): OtlpTarget | undefined {
  const { section } = reading;
  const upper = UPPER[signal];
  const exporters = choiceOf(`OTEL_${upper}_EXPORTER`, EXPORTERS, reading);
  if (exporters === 'none') return undefined;
  const own = endpointOf(`OTEL_EXPORTER_OTLP_${upper}_ENDPOINT`, reading);
  const common = endpointOf('OTEL_EXPORTER_OTLP_ENDPOINT', reading);
  const written = section?.signals.includes(signal) ? section.endpoint : undefined;
  if ((own ?? common ?? written) === undefined && exporters !== 'otlp') return undefined;
  const protocol =
    choiceOf(`OTEL_EXPORTER_OTLP_${upper}_PROTOCOL`, OTLP_PROTOCOLS, reading) ??
    choiceOf('OTEL_EXPORTER_OTLP_PROTOCOL', OTLP_PROTOCOLS, reading) ??
    section?.protocol ??
    'http/protobuf';
  if (own !== undefined) return { protocol, url: own };
  const base = common ?? section?.endpoint ?? `http://localhost:${DEFAULT_PORTS[protocol]}`;
  return { protocol, url: protocol === 'grpc' ? base : `${base.replace(/\/$/, '')}/v1/${signal}` };
}

const EXPORTERS = ['otlp', 'none'] as const;

function endpointOf(
  name: keyof OtlpVariables,
  { variables, problems }: Reading,
): string | undefined {
  const text = variables[name];
  if (text === undefined || isEndpoint(text)) return text;
  // The value may hold a password, so it is not shown.
  problems.push(
    `${name}: expected a URL such as http://127.0.0.1:4318, found another text; ignored`,
  );
  return undefined;
}

function choiceOf<Choice extends string>(
  name: keyof OtlpVariables,
  choices: readonly Choice[],
  { variables, problems }: Reading,
): Choice | undefined {
  const text = variables[name]?.toLowerCase();
  const found = choices.find((choice) => choice === text);
  if (text === undefined || found !== undefined) return found;
  const message = `${name}: expected ${choices.join(' or ')}, found ${shown(text)}; ignored`;
  if (!problems.includes(message)) problems.push(message);
  return undefined;
}

function samplingOf(reading: Reading): Pick<OtlpSettings, 'sampler' | 'samplerArg'> {
  const { section, variables, problems } = reading;
  const named = choiceOf('OTEL_TRACES_SAMPLER', SAMPLERS, reading);
  const sampler = named ?? section?.sampler ?? 'parentbased_always_on';
  const text = variables.OTEL_TRACES_SAMPLER_ARG;
  const samplerArg = section?.samplerArg ?? 1;
  if (text === undefined || !sampler.endsWith('traceidratio')) return { sampler, samplerArg };
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return { sampler, samplerArg: ratio };
  problems.push(
    `OTEL_TRACES_SAMPLER_ARG: expected a share from 0 to 1, found ${shown(text)}; ignored`,
  );
  return { sampler, samplerArg };
}

function intervalOf({ section, variables, problems }: Reading): number {
  const text = variables.OTEL_METRIC_EXPORT_INTERVAL;
  const standardMs = section?.metricIntervalMs ?? 60_000;
  if (text === undefined) return standardMs;
  const ms = Number(text);
  if (Number.isInteger(ms) && ms >= 100 && ms <= 3_600_000) return ms;
  problems.push(
    `OTEL_METRIC_EXPORT_INTERVAL: expected whole milliseconds from 100 to 3600000, found ${shown(text)}; ignored`,
  );
  return standardMs;
}

/** `key=value` pairs with commas between, percent-encoded as in W3C baggage. One that is wrong makes all of them ignored. */
function attributesOf({ variables, problems }: Reading): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  try {
    for (const pair of (variables.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',')) {
      if (pair.trim() === '') continue;
      const [name = '', value, ...more] = pair.split('=').map((part) => part.trim());
      if (name === '' || value === undefined || more.length > 0) throw new Error(pair);
      attributes[decodeURIComponent(name)] = decodeURIComponent(value);
    }
    return attributes;
  } catch {
    problems.push(
      'OTEL_RESOURCE_ATTRIBUTES: expected key=value pairs, found another text; ignored',
    );
    return {};
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
