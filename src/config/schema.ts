import * as z from 'zod';
import type { QuotaRule } from '../core/quota.ts';
import type { Webhook } from '../core/webhook.ts';
import { type AccessLogSection, accessLogSchema } from './access-log-section.ts';
import { type AuthSection, authSchema } from './auth-section.ts';
import { ConfigError } from './config-error.ts';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';
import { formatPath, issuesOf } from './issues.ts';
import { merge } from './merge.ts';
import { type ModelConfig, modelSchema } from './model-section.ts';
import { type OtlpSection, otlpSchema } from './otlp-section.ts';
import {
  type Address,
  address,
  byteSize,
  directory,
  duration,
  isLoopback,
  modelName,
  whole,
} from './quantities.ts';
import { quotasSchema } from './quotas-section.ts';
import { checkWindows, type RolloutDefaults, rolloutDefaultsSchema } from './rollout-defaults.ts';
import { type TlsSection, tlsSchema } from './tls-section.ts';
import { webhooksSchema } from './webhooks-section.ts';

/** `understudy.yaml`, complete: plain data in milliseconds, basis points and bytes; paths are absolute. */
export type Config = {
  readonly server: {
    readonly http: Address;
    readonly grpc: Address;
    readonly admin: Address;
    /** Where `/metrics` alone is served, to other machines too; undefined: only on the admin port. */
    readonly metrics?: Address | undefined;
    /** Host names for clients of the data plane, in lower case; `.a.com` also allows subdomains. Empty: any. Django's ALLOWED_HOSTS. */
    readonly allowedHosts: readonly string[];
    /** As server metadata reports it. */
    readonly name: string;
    /** Whether callers may load and unload models. Triton's --model-control-mode. */
    readonly modelControl: 'none' | 'explicit';
    /** Max connections to each of the HTTP and the gRPC port. nginx's worker_connections. */
    readonly connectionsMax: number;
    /** The server is ready while every routed model that can be served is, or every model. Triton's --strict-readiness. */
    readonly readiness: 'routed' | 'strict';
    /** The model that is served at the addresses of the Model Asset eXchange too. */
    readonly max?: { readonly model: string; readonly cors: boolean } | undefined;
    /** Undefined: the ports speak plain HTTP and gRPC. */
    readonly tls?: TlsSection | undefined;
  };
  /** Who may call, and what for; undefined: everyone may do all. */
  readonly auth?: AuthSection | undefined;
  readonly repository: string;
  /** Interval of looks at the repository (ms); undefined: only on request. Triton's --repository-poll-secs. */
  readonly repositoryPollMs: number | undefined;
  /** The ledger's directory. */
  readonly ledger: string;
  /** The directory of what can be found again: which models may share runs. */
  readonly cache: string;
  readonly limits: {
    readonly bodyBytesMax: number;
    readonly headersBytesMax: number;
    /** Max bytes of all bodies and answers in flight; `auto`: a quarter of the memory. */
    readonly memoryBytesMax: number | 'auto';
    /** Max bytes of all copies for shadow hosts. */
    readonly mirrorBytesMax: number;
  };
  readonly telemetry: {
    /** Whether `/metrics` has the names of Triton's metrics too. */
    readonly tritonMetrics: boolean;
    /** What is sent to a collector; the OTEL_* variables go before it. */
    readonly otlp?: OtlpSection | undefined;
    /** Undefined: requests are not logged. */
    readonly accessLog?: AccessLogSection | undefined;
  };
  /** How many requests each caller may send to each model; empty: any number. */
  readonly quotas: readonly QuotaRule[];
  /** What the section `rollout` of a model leaves out. */
  readonly rollout: RolloutDefaults;
  /** Only the models that the file names; `modelConfig` knows the rest. */
  readonly models: Readonly<Record<string, ModelConfig>>;
  /** Servers that events are sent to, and those that are asked before a promotion. */
  readonly webhooks: readonly Webhook[];
  /** The sections of `models` as the user wrote them, without defaults and base configurations. */
  readonly source: Readonly<Record<string, unknown>>;
};

const aHostName = expected(
  'a host name such as models.example.com, or .example.com for all subdomains',
);

/** A name without a port. More of them than this are a mistake. */
const hostNames = z
  .array(
    z
      .string({ error: aHostName })
      .max(253, { error: aHostName })
      .regex(/^\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, { error: aHostName })
      .transform((name) => name.toLowerCase()),
    { error: expected('a list of host names') },
  )
  .max(100, { error: expected('at most 100 host names') });

const POLLS = 'off, or a duration from 1s to 24h';

/** A look at all files of the repository costs a little each time. */
const pollEvery = duration.refine((ms) => ms >= 1_000 && ms <= 86_400_000, {
  error: `expected ${POLLS}`,
});

/** The schema of `understudy.yaml`. It takes what YAML gives and returns most of a Config, its paths still as written. */
export const configSchema = section({
  apiVersion: z.literal('understudy/v1', { error: expected('understudy/v1') }),
  server: section({
    http: address.prefault(DEFAULTS.server.http),
    grpc: address.prefault(DEFAULTS.server.grpc),
    allowedHosts: hostNames.prefault([...DEFAULTS.server.allowedHosts]),
    name: z
      .string({ error: expected('a name') })
      .min(1)
      .default(DEFAULTS.server.name),
    modelControl: z
      .enum(['none', 'explicit'], { error: expected('none or explicit') })
      .default(DEFAULTS.server.modelControl),
    connectionsMax: whole({ min: 8, max: 1_000_000 }, 'connections').default(
      DEFAULTS.server.connectionsMax,
    ),
    readiness: z
      .enum(['routed', 'strict'], { error: expected('routed or strict') })
      .default(DEFAULTS.server.readiness),
    admin: address.prefault(DEFAULTS.server.admin),
    metrics: address.optional(),
    max: section({
      model: modelName,
      cors: z.boolean({ error: expected('true or false') }).default(false),
    }).optional(),
    tls: tlsSchema.optional(),
  }).prefault({}),
  auth: authSchema.optional(),
  repository: z
    .union(
      [
        directory,
        section({
          path: directory.default(DEFAULTS.repository),
          poll: z
            .union([z.literal('off'), z.literal(false), pollEvery], { error: expected(POLLS) })
            .prefault('off'),
        }),
      ],
      { error: expected('a directory, or path and poll') },
    )
    .prefault(DEFAULTS.repository),
  ledger: directory.default(DEFAULTS.ledger),
  cache: directory.default(DEFAULTS.cache),
  limits: section({
    bodyMax: byteSize.prefault(DEFAULTS.limits.bodyMax),
    memoryMax: z
      .union([z.literal('auto'), byteSize], {
        error: expected('auto, or a size such as 512MiB or 2GiB'),
      })
      .prefault(DEFAULTS.limits.memoryMax),
    mirrorMax: byteSize.prefault(DEFAULTS.limits.mirrorMax),
    headersMax: byteSize.prefault(DEFAULTS.limits.headersMax),
  }).prefault({}),
  telemetry: section({
    tritonMetrics: z
      .boolean({ error: expected('true or false') })
      .default(DEFAULTS.telemetry.tritonMetrics),
    otlp: otlpSchema.optional(),
    accessLog: accessLogSchema.optional(),
  }).prefault({}),
  quotas: quotasSchema.prefault([...DEFAULTS.quotas]),
  rollout: rolloutDefaultsSchema.prefault({}),
  models: z.record(modelName, modelSchema, { error: expected('models by name') }).default({}),
  webhooks: webhooksSchema,
})
  .superRefine(checkWindows)
  .refine(({ server, auth }) => auth !== undefined || isLoopback(server.admin), {
    error:
      'expected a loopback address, or a section auth: without it everyone who can connect may change everything',
    path: ['server', 'admin'],
  })
  .transform(
    ({ repository, limits, apiVersion: _, ...rest }): Omit<Config, 'source'> => ({
      ...rest,
      ...repositoryOf(repository),
      limits: {
        bodyBytesMax: limits.bodyMax,
        headersBytesMax: limits.headersMax,
        memoryBytesMax: limits.memoryMax,
        mirrorBytesMax: limits.mirrorMax,
      },
    }),
  );

function repositoryOf(
  written: string | { path: string; poll: 'off' | false | number },
): Pick<Config, 'repository' | 'repositoryPollMs'> {
  if (typeof written === 'string') return { repository: written, repositoryPollMs: undefined };
  const { path, poll } = written;
  return { repository: path, repositoryPollMs: typeof poll === 'number' ? poll : undefined };
}

/** Settings from a model's own files: the form of a `models.<name>` section, with only the keys that they set. */
export type BaseConfig = {
  /** The file that says it, for messages: `config.pbtxt`. */
  readonly file: string;
  readonly section: Readonly<Record<string, unknown>>;
};

const unnamedModel: ModelConfig = modelSchema.parse({});

/** The last result for each base configuration: every request asks for it. */
const merged = new WeakMap<
  BaseConfig,
  { sections: Config['source']; model: string; result: ModelConfig }
>();

/**
 * A model's configuration: `understudy.yaml` over the model's own files (`baseConfig`) over the defaults, key by key.
 *
 * @throws ConfigError where the two files contradict each other; what each says by itself was checked when it was read.
 */
export function modelConfig(config: Config, model: string, baseConfig?: BaseConfig): ModelConfig {
  if (baseConfig === undefined || Object.keys(baseConfig.section).length === 0) {
    return (Object.hasOwn(config.models, model) && config.models[model]) || unnamedModel;
  }
  const known = merged.get(baseConfig);
  if (known?.sections === config.source && known.model === model) return known.result;
  const section = Object.hasOwn(config.source, model) ? config.source[model] : undefined;
  const result = parsed(merge(baseConfig.section, section), {
    ...baseConfig,
    path: ['models', model],
  });
  merged.set(baseConfig, { sections: config.source, model, result });
  return result;
}

/**
 * Checks the settings from a model's own files by themselves.
 *
 * @throws ConfigError that names the file and every problem.
 */
export function checkSection({ file, section }: BaseConfig): void {
  parsed(section, { file, path: [] });
}

function parsed(
  section: unknown,
  { file, path }: { readonly file: string; readonly path: readonly string[] },
): ModelConfig {
  const result = modelSchema.safeParse(section);
  if (result.success) return result.data;
  throw new ConfigError(
    issuesOf(result.error).map((issue) => ({
      file,
      line: 1,
      column: 1,
      path: formatPath([...path, ...issue.path]),
      message: issue.message,
    })),
  );
}

/** The JSON Schema of `understudy.yaml`, for editors: what may be written, with the defaults. */
export function jsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-2020-12' });
}
