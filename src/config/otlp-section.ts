import * as z from 'zod';
import {
  OTLP_PROTOCOLS,
  OTLP_SIGNALS,
  type OtlpProtocol,
  type OtlpSignal,
  SAMPLERS,
  type SamplerName,
} from '../core/otlp.ts';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';
import { duration, number } from './quantities.ts';

/** The section `telemetry.otlp`: what is sent to a collector by OTLP. */
export type OtlpSection = {
  readonly endpoint: string;
  readonly protocol: OtlpProtocol;
  readonly signals: readonly OtlpSignal[];
  readonly sampler: SamplerName;
  readonly samplerArg: number;
  readonly baggage: readonly string[];
  readonly metricIntervalMs: number;
};

const AN_ENDPOINT =
  'a URL such as http://127.0.0.1:4318, without user and password: OTEL_EXPORTER_OTLP_HEADERS carries those';

/** True for a URL of a collector. */
export function isEndpoint(text: string): boolean {
  return /^https?:\/\/[^/\s]+/.test(text) && URL.canParse(text);
}

const BAGGAGE_KEYS_MAX = 16;
const aKey = expected('a key of W3C baggage, such as tenant');

/** More often would cost more than it shows; less often, and a collector takes the gateway for gone. */
const interval = duration.refine((ms) => ms >= 1_000 && ms <= 3_600_000, {
  error: 'expected a duration from 1s to 1h',
});

/** The schema of `telemetry.otlp`. */
export const otlpSchema = section({
  endpoint: z
    .string({ error: expected(AN_ENDPOINT) })
    .refine((text) => isEndpoint(text) && !/^https?:\/\/[^/]*@/.test(text), {
      error: `expected ${AN_ENDPOINT}`,
    }),
  protocol: z
    .enum(OTLP_PROTOCOLS, { error: expected(OTLP_PROTOCOLS.join(' or ')) })
    .default(DEFAULTS.telemetry.otlp.protocol),
  signals: z
    .array(z.enum(OTLP_SIGNALS, { error: expected(OTLP_SIGNALS.join(', ')) }), {
      error: expected(`a list of ${OTLP_SIGNALS.join(', ')}`),
    })
    .default([...DEFAULTS.telemetry.otlp.signals]),
  sampler: z
    .enum(SAMPLERS, { error: expected(`one of ${SAMPLERS.join(', ')}`) })
    .default(DEFAULTS.telemetry.otlp.sampler),
  samplerArg: number({ min: 0, max: 1 }).default(DEFAULTS.telemetry.otlp.samplerArg),
  baggage: z
    .array(
      z
        .string({ error: aKey })
        .max(64, { error: aKey })
        .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: aKey }),
      { error: expected('a list of keys') },
    )
    .max(BAGGAGE_KEYS_MAX, { error: expected(`at most ${BAGGAGE_KEYS_MAX} keys`) })
    .default([...DEFAULTS.telemetry.otlp.baggage]),
  metricInterval: interval.prefault(DEFAULTS.telemetry.otlp.metricInterval),
}).transform(
  ({ metricInterval, ...rest }): OtlpSection => ({ ...rest, metricIntervalMs: metricInterval }),
);
