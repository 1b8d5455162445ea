import { isRecord } from '../config/merge.ts';
import type { TritonModelConfig } from './triton-config.ts';
import { isScalar } from './triton-tensors.ts';

/** The fields that are followed, or refused, elsewhere; by the message they belong to. */
const FOLLOWED = {
  config: new Set([
    ...['name', 'platform', 'backend', 'max_batch_size', 'input', 'output', 'version_policy'],
    ...['dynamic_batching', 'sequence_batching', 'ensemble_scheduling', 'instance_group'],
    ...['default_model_filename', 'model_warmup', 'model_transaction_policy'],
    ...['batch_input', 'batch_output', 'parameters'],
  ]),
  // A layout is a hint for people; the model has its own.
  tensor: new Set(['name', 'data_type', 'format', 'dims', 'reshape', 'label_filename']),
  batcher: new Set([
    ...['max_queue_delay_microseconds', 'priority_levels', 'default_priority_level'],
    'default_queue_policy',
  ]),
  // Requests may always ask for less time.
  queue: new Set(['default_timeout_microseconds', 'max_queue_size', 'allow_timeout_override']),
  group: new Set(['name', 'kind', 'count']),
};

/** Why, where that is not plain. */
const REASONS: Readonly<Record<string, string>> = {
  'dynamic_batching.preferred_batch_size': 'a batch leaves as soon as a replica is free',
  'default_queue_policy.timeout_action': 'who is late is refused',
  allow_ragged_batch: 'requests of one shape share a run',
  optional: 'every request gives all inputs',
};

/** Values that mean the same as nothing. */
const DEFAULT_NAMES: ReadonlySet<unknown> = new Set(['REJECT']);

/** Whatever a configuration asks for that is not done here, each a part of a sentence. */
export function ignoredParts(config: TritonModelConfig): readonly string[] {
  const {
    dynamic_batching: batcher,
    instance_group: groups = [],
    input = [],
    output = [],
  } = config;
  const tensors = [...input, ...output].flatMap((tensor) =>
    unfollowed(tensor, FOLLOWED.tensor).map((field) => withReason(field, ` of "${tensor.name}"`)),
  );
  const scalars = [...input, ...output]
    .filter(isScalar)
    .map(({ name }) => `reshape of "${name}" (requests give it in the model's own shape)`);
  const fields = [
    ...unfollowed(batcher, FOLLOWED.batcher).map((field) => `dynamic_batching.${field}`),
    ...unfollowed(batcher?.default_queue_policy, FOLLOWED.queue).map(
      (field) => `default_queue_policy.${field}`,
    ),
    ...groups
      .flatMap((group) => unfollowed(group, FOLLOWED.group))
      .map((field) => `instance_group.${field}`),
    ...groups
      .filter(({ kind }) => kind === 'KIND_MODEL')
      .map(() => 'instance_group.kind KIND_MODEL'),
    ...unfollowed(config, FOLLOWED.config),
    ...parameterNames(config),
  ];
  return [...tensors, ...scalars, ...[...new Set(fields)].map((field) => withReason(field))];
}

function parameterNames(config: Readonly<Record<string, unknown>>): readonly string[] {
  const { parameters } = config;
  return isRecord(parameters) ? Object.keys(parameters).map((name) => `parameters "${name}"`) : [];
}

/** The fields of a message that say something and are not among the followed. */
function unfollowed(message: object | undefined, followed: ReadonlySet<string>): readonly string[] {
  return Object.entries(message ?? {})
    .filter(([field, value]) => !followed.has(field) && says(value))
    .map(([field]) => field);
}

function says(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isRecord(value)) return Object.values(value).some(says);
  return Boolean(value) && !DEFAULT_NAMES.has(value);
}

function withReason(field: string, of = ''): string {
  const reason = REASONS[field];
  return `${field}${of}${reason ? ` (${reason})` : ''}`;
}
