import * as z from 'zod';
import { ROLES, type Role } from '../core/caller.ts';
import type { ComparatorSetting } from '../core/comparator-setting.ts';
import type { ExampleSetting } from '../core/example-setting.ts';
import type { MirrorSetting, Rule } from '../core/route.ts';
import type { VersionPolicy } from '../core/version.ts';
import { compareSchema } from './compare-section.ts';
import { DEFAULTS } from './defaults.ts';
import { examplesSchema } from './examples-section.ts';
import { expected, section } from './expected.ts';
import { type LabelsSetting, labelsSchema } from './labels-section.ts';
import { byteSize, headerSource, number, toBp, upToADay, version, whole } from './quantities.ts';
import { type RolloutSection, rolloutKeys } from './rollout-section.ts';
import { undeclaredSlices } from './slices.ts';
import { mirrorSchema, splitSchema } from './traffic.ts';

/** How many copies of a version run, and on how many threads each. `auto` is resolved where the processors are known. */
export type Instances = 'auto' | { readonly replicas: number; readonly intraOpThreads: number };

export type RouteSection = {
  /** A version, or `latest`: whichever is the newest. */
  readonly stable: string;
  /** Adds up to 10,000; all to stable where nothing is written. */
  readonly split: readonly { readonly version: string; readonly weightBp: number }[];
  readonly rules: readonly Rule[];
  readonly mirror: MirrorSetting | undefined;
};

/** What of a request's headers the gateway reads. Header names are in lower case. */
export type RoutingSetting = {
  /** The header that names the unit; undefined: every request is its own unit. */
  readonly sticky: string | undefined;
  /** Attribute to header. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Headers that rules look at, in addition to the attributes. */
  readonly ruleHeaders: readonly string[];
  /** The role that naming a version other than stable needs, where authentication is on. */
  readonly pin: Role;
  /** Default deadline of a request (ms). Triton's default_timeout_microseconds, but the run counts too. */
  readonly deadlineMs: number;
};

/** One model's section, complete. */
export type ModelConfig = {
  readonly instances: Instances;
  readonly batch: {
    /** Max rows of one run. 0: batching is off, so each request runs alone and may have any first dimension. Triton's max_batch_size. */
    readonly rowsMax: number;
    readonly delayMs: number;
    /**
     * Whether `rowsMax` is written: requests then share runs because the configuration says so. Where it is not, they share them only
     * where the model's file and a probe speak for it.
     */
    readonly declared: boolean;
  };
  readonly queue: {
    readonly requestsMax: number;
    readonly bytesMax: number;
    readonly deadlineMs: number;
    /** 0: requests have no priorities. Level 1 leaves the queue first. Triton's priority_levels. */
    readonly priorityLevels: number;
    /** The level of a request that names none or an unknown one; 0 without levels. Triton's default_priority_level. */
    readonly defaultPriority: number;
  };
  readonly execution: {
    readonly providers: readonly string[];
    readonly strict: boolean;
    readonly isolation: 'process' | 'thread';
    readonly runMsMax: number;
    /** Max time to read a model, build its session and warm it up. TorchServe's startupTimeout. */
    readonly loadMsMax: number;
    /** Max resident bytes of one process; undefined: no limit. systemd's MemoryMax. */
    readonly memoryBytesMax: number | undefined;
  };
  readonly routing: RoutingSetting;
  /** Versions loaded in addition to those that the route leads to. Triton's version_policy. */
  readonly versions: VersionPolicy;
  /** Whether the newest version gets the traffic of `latest` as soon as it is there, without proof, as configured. */
  readonly follows: boolean;
  /** Undefined: the route is as the ledger has it; where it says nothing, the newest version is recorded there as stable. */
  readonly route: RouteSection | undefined;
  /** How answers are compared; goes before what packages say. */
  readonly compare: ComparatorSetting | undefined;
  readonly labels: LabelsSetting;
  readonly examples: ExampleSetting;
  /** As written; `rolloutSpecFrom` completes it. */
  readonly rollout: RolloutSection;
};

const { batch, queue, execution, versions } = DEFAULTS.model;

/** In a route: the newest version. */
export const LATEST = 'latest';

/** The largest allowed values. */
export const LIMITS = {
  rowsMax: 4_096,
  delayMs: 10_000,
  requestsMax: 1_000_000,
  deadlineMs: 3_600_000,
  priorityLevels: 100,
  replicas: 256,
  versions: 1_000,
} as const;

const instances = z
  .union(
    [
      z.literal('auto'),
      section({
        replicas: whole({ min: 1, max: LIMITS.replicas }),
        intraOpThreads: whole({ min: 1, max: 256 }).default(1),
      }),
    ],
    { error: expected('auto, or replicas and intraOpThreads') },
  )
  .default('auto');

const batchSchema = z
  .union(
    [
      z.literal('off'),
      // As programs that write YAML have it, for which `off` is a truth value.
      z.literal(false),
      section({
        rowsMax: whole({ min: 1, max: LIMITS.rowsMax }, 'rows').optional(),
        delayMs: number({ min: 0, max: LIMITS.delayMs }).default(batch.delayMs),
      }),
    ],
    { error: expected('off, or rowsMax and delayMs') },
  )
  .prefault({ delayMs: batch.delayMs });

const queueSchema = section({
  requestsMax: whole({ min: 1, max: LIMITS.requestsMax }, 'requests').default(queue.requestsMax),
  bytesMax: byteSize.prefault(queue.bytesMax),
  deadlineMs: whole({ min: 1, max: LIMITS.deadlineMs }, 'milliseconds').default(queue.deadlineMs),
  priorityLevels: whole({ min: 0, max: LIMITS.priorityLevels }, 'levels').default(
    queue.priorityLevels,
  ),
  defaultPriority: whole({ min: 1, max: LIMITS.priorityLevels }).optional(),
})
  .superRefine(({ priorityLevels: levels, defaultPriority: level = 0 }, context) => {
    if (levels === 0 || level <= levels) return;
    const message = `expected one of the ${levels} priorityLevels, found ${level}`;
    context.addIssue({ code: 'custom', path: ['defaultPriority'], message });
  })
  .prefault({});

const executionSchema = section({
  providers: z
    .array(z.string({ error: expected('a provider such as cpu or cuda') }).min(1), {
      error: expected('a list of providers such as [cpu]'),
    })
    .min(1, { error: 'expected at least one provider' })
    .default([...execution.providers]),
  strict: z.boolean({ error: expected('true or false') }).default(execution.strict),
  isolation: z
    .enum(['process', 'thread'], { error: expected('process or thread') })
    .default(execution.isolation),
  runMax: upToADay.prefault(execution.runMax),
  loadMax: upToADay.prefault(execution.loadMax),
  memoryMax: byteSize.optional(),
})
  .superRefine(({ isolation, memoryMax }, context) => {
    if (memoryMax === undefined || isolation === 'process') return;
    const message = `expected no limit where isolation is ${isolation}: the model shares the gateway's memory. Leave it out, or use isolation: process`;
    context.addIssue({ code: 'custom', path: ['memoryMax'], message });
  })
  .prefault({});

const versionsSchema = z
  .union(
    [
      z.literal('all'),
      z.array(version).min(1, { error: 'expected at least one version' }),
      section({ latest: whole({ min: 1, max: LIMITS.versions }, 'versions') }),
    ],
    { error: expected('{ latest: 2 }, all, or a list of versions') },
  )
  .optional();

const attributeName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, {
  error: expected('an attribute name: letters, digits, - and _'),
});

const attributes = z
  .record(attributeName, headerSource, {
    error: expected('attributes and headers, such as { tone: header:x-tone }'),
  })
  .prefault({});

const equals = z.string({ error: expected('a value in quotes') });
const oneOf = z.record(z.string(), equals, { error: expected('a name and a value') });
const role = z.enum(ROLES, { error: expected(`one of ${ROLES.join(', ')}`) });

const ruleSchema = section({
  match: section({ header: oneOf.optional(), attribute: oneOf.optional() }),
  version,
  role: role.optional(),
}).transform(({ match, version: target, role: needed }, context): Rule => {
  const conditions = [
    ...Object.entries(match.header ?? {}).map(([name, value]) => ({
      attribute: `header:${name.toLowerCase()}`,
      equals: value,
    })),
    ...Object.entries(match.attribute ?? {}).map(([name, value]) => ({
      attribute: name,
      equals: value,
    })),
  ];
  const [only] = conditions;
  if (only && conditions.length === 1)
    return { ...only, version: target, ...(needed && { role: needed }) };
  context.addIssue({
    code: 'custom',
    path: ['match'],
    message: `expected exactly one header or attribute, found ${conditions.length}`,
  });
  return z.NEVER;
});

const routeSchema = section({
  stable: version,
  split: splitSchema.optional(),
  sticky: headerSource.optional(),
  pin: role.default(DEFAULTS.model.route.pin),
  rules: z.array(ruleSchema, { error: expected('a list of rules') }).prefault([]),
  mirror: z
    .array(mirrorSchema, {
      error: expected('a list such as [{ version: "3", percentage: 20 }]'),
    })
    .max(1, { error: 'expected at most one mirrored version' })
    .prefault([]),
}).superRefine(({ stable, split }, context) => {
  if (!split || Object.hasOwn(split, stable)) return;
  const message = `expected a share for stable "${stable}" (0 for no traffic)`;
  context.addIssue({ code: 'custom', path: ['split'], message });
});

const modelFields = section({
  instances,
  batch: batchSchema,
  queue: queueSchema,
  execution: executionSchema,
  versions: versionsSchema,
  attributes,
  compare: compareSchema.optional(),
  labels: labelsSchema,
  examples: examplesSchema,
  route: routeSchema.optional(),
  rollout: section(rolloutKeys).prefault({}),
});

type ModelFields = z.output<typeof modelFields>;

/** One entry of `models`. An empty one is a model with all defaults. */
export const modelSchema = modelFields.superRefine(checkAttributes).transform(modelConfigOf);

/** Slices and rules may name only attributes that requests can carry. */
function checkAttributes(model: ModelFields, context: z.core.$RefinementCtx): void {
  const declared = Object.keys(model.attributes);
  for (const { index, attribute, message } of undeclaredSlices(
    model.rollout.slices ?? [],
    declared,
  )) {
    context.addIssue({ code: 'custom', path: ['rollout', 'slices', index, attribute], message });
  }
  model.route?.rules.forEach((rule, index) => {
    if (rule.attribute.startsWith('header:') || declared.includes(rule.attribute)) return;
    const path = ['route', 'rules', index, 'match', 'attribute', rule.attribute];
    const message = `expected a declared attribute, found "${rule.attribute}"`;
    context.addIssue({ code: 'custom', path, message });
  });
}

function modelConfigOf(fields: ModelFields): ModelConfig {
  const { attributes: headers, route, execution: run } = fields;
  const ruleHeaders = (route?.rules ?? [])
    .filter(({ attribute }) => attribute.startsWith('header:'))
    .map(({ attribute }) => attribute.slice('header:'.length));
  return {
    instances: fields.instances,
    batch: batchOf(fields.batch),
    queue: { ...fields.queue, defaultPriority: defaultPriorityOf(fields.queue) },
    execution: {
      providers: run.providers,
      strict: run.strict,
      isolation: run.isolation,
      runMsMax: run.runMax,
      loadMsMax: run.loadMax,
      memoryBytesMax: run.memoryMax,
    },
    routing: {
      sticky: route?.sticky,
      pin: route?.pin ?? DEFAULTS.model.route.pin,
      attributes: headers,
      ruleHeaders: [...new Set(ruleHeaders)],
      deadlineMs: fields.queue.deadlineMs,
    },
    versions: versionPolicyOf(fields.versions ?? versions),
    follows: isFollowing(fields),
    route: route && {
      stable: route.stable,
      split: Object.entries(route.split ?? { [route.stable]: 100 }).map(([name, share]) => ({
        version: name,
        weightBp: toBp(share),
      })),
      rules: route.rules,
      mirror: route.mirror[0],
    },
    compare: fields.compare,
    labels: fields.labels,
    examples: fields.examples,
    rollout: fields.rollout,
  };
}

function batchOf(written: ModelFields['batch']): ModelConfig['batch'] {
  if (written === 'off' || written === false) return { rowsMax: 0, delayMs: 0, declared: true };
  const { rowsMax = batch.rowsMax, delayMs } = written;
  return { rowsMax, delayMs, declared: written.rowsMax !== undefined };
}

/** In the middle where none is written, so that a request can ask for more and for less. */
function defaultPriorityOf({ priorityLevels, defaultPriority }: ModelFields['queue']): number {
  if (priorityLevels === 0) return 0;
  return defaultPriority ?? Math.ceil(priorityLevels / 2);
}

/** Only what is written asks for it: the default policy loads nothing and moves nothing. */
function isFollowing({ route, versions: policy }: ModelFields): boolean {
  if (route === undefined) return typeof policy === 'object' && 'latest' in policy;
  const versionsOfRoute = [route.stable, ...Object.keys(route.split ?? {})];
  return [...versionsOfRoute, route.mirror[0]?.version].includes(LATEST);
}

function versionPolicyOf(written: NonNullable<ModelFields['versions']>): VersionPolicy {
  if (written === 'all') return { kind: 'all' };
  if ('latest' in written) return { kind: 'latest', count: written.latest };
  return { kind: 'specific', versions: written };
}
