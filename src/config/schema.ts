import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';
import { type ModelConfig, modelSchema } from './model-section.ts';
import { type Address, address, byteSize, duration, isLoopback, whole } from './quantities.ts';

/** `understudy.yaml`, complete: plain data in milliseconds, basis points and bytes; paths are absolute. */
export type Config = {
  readonly server: {
    readonly http: Address;
    readonly grpc: Address;
    readonly admin: Address;
    /** As server metadata reports it. */
    readonly name: string;
    /** Whether callers may load and unload models. */
    readonly modelControl: 'none' | 'explicit';
  };
  readonly repository: string;
  /** The ledger's directory. */
  readonly ledger: string;
  readonly limits: { readonly bodyBytesMax: number; readonly headersBytesMax: number };
  readonly feedback: { readonly ttlMs: number; readonly requestsMax: number };
  /** Only the models that the file names; `modelConfig` knows the rest. */
  readonly models: Readonly<Record<string, ModelConfig>>;
};

const directory = z
  .string({ error: expected('a directory') })
  .min(1, { error: expected('a directory') })
  .refine((path) => !path.includes('://'), { error: expected('a directory') });

const modelName = z
  .string()
  .regex(/^[^/\\._][^/\\]*$/, { error: expected('a model name: a folder of the repository') });

/** The schema of `understudy.yaml`. It takes what YAML gives and returns a Config, its paths still as written. */
export const configSchema = section({
  apiVersion: z.literal('understudy/v1', { error: expected('understudy/v1') }),
  server: section({
    http: address.prefault(DEFAULTS.server.http),
    grpc: address.prefault(DEFAULTS.server.grpc),
    name: z
      .string({ error: expected('a name') })
      .min(1)
      .default(DEFAULTS.server.name),
    modelControl: z
      .enum(['none', 'explicit'], { error: expected('none or explicit') })
      .default(DEFAULTS.server.modelControl),
    admin: address.prefault(DEFAULTS.server.admin).refine(isLoopback, {
      error: 'expected a loopback address: the admin port has no authentication',
    }),
  }).prefault({}),
  repository: directory.default(DEFAULTS.repository),
  ledger: directory.default(DEFAULTS.ledger),
  limits: section({
    bodyMax: byteSize.prefault(DEFAULTS.limits.bodyMax),
    headersMax: byteSize.prefault(DEFAULTS.limits.headersMax),
  }).prefault({}),
  feedback: section({
    ttl: duration.prefault(DEFAULTS.feedback.ttl),
    requestsMax: whole({ min: 1, max: 10_000_000 }, 'requests').default(
      DEFAULTS.feedback.requestsMax,
    ),
  }).prefault({}),
  models: z.record(modelName, modelSchema, { error: expected('models by name') }).default({}),
}).transform(
  ({ server, repository, ledger, limits, feedback, models }): Config => ({
    server,
    repository,
    ledger,
    limits: { bodyBytesMax: limits.bodyMax, headersBytesMax: limits.headersMax },
    feedback: { ttlMs: feedback.ttl, requestsMax: feedback.requestsMax },
    models,
  }),
);

const unnamedModel: ModelConfig = modelSchema.parse({});

/** A model's configuration; one that the file does not name has all defaults. */
export function modelConfig(config: Config, model: string): ModelConfig {
  return (Object.hasOwn(config.models, model) && config.models[model]) || unnamedModel;
}

/** The JSON Schema of `understudy.yaml`, for editors: what may be written, with the defaults. */
export function jsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-2020-12' });
}
