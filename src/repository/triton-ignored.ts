import { isRecord } from '../config/merge.ts';
import { quoted } from './quoted.ts';
import type { TritonModelConfig } from './triton-config.ts';

/** The fields that are followed, or refused, elsewhere; by the message they belong to. */
const FOLLOWED = {
  config: new Set([
    ...['name', 'platform', 'backend', 'max_batch_size', 'input', 'output', 'version_policy'],
    ...['dynamic_batching', 'sequence_batching', 'ensemble_scheduling', 'instance_group'],
    ...['default_model_filename', 'model_warmup', 'model_transaction_policy'],
    ...['batch_input', 'batch_output', 'parameters', 'optimization'],
  ]),
  tensor: new Set(['name', 'data_type', 'format', 'dims', 'reshape', 'label_filename', 'optional']),
  batcher: new Set([
    ...['max_queue_delay_microseconds', 'priority_levels', 'default_priority_level'],
    'default_queue_policy',
  ]),
  // Requests may always ask for less time.
  queue: new Set(['default_timeout_microseconds', 'max_queue_size', 'allow_timeout_override']),
  group: new Set(['name', 'kind', 'count']),
  optimization: new Set<string>(),
};

/** What holds in place of a field, or follows from leaving it out. */
const REASONS: Readonly<Record<string, string>> = {
  runtime: 'ONNX Runtime runs the model',
  cc_model_filenames: 'one file serves every device',
  metric_tags: "metrics carry the gateway's own labels",
  model_metrics: "metrics are the gateway's own",
  model_operations: 'no library of operators is loaded',
  model_repository_agents: 'files are read as they lie there',
  response_cache: 'every request is run',
  is_shape_tensor: 'it is a tensor like any other',
  is_non_linear_format_io: 'tensors are row-major',
  allow_ragged_batch: 'requests of one shape share a run',
  'optimization.execution_accelerators': '`execution.providers` in understudy.yaml chooses them',
  'optimization.graph': 'the runtime optimises the graph as it does by default',
  'optimization.priority': 'the `priority` of requests decides who goes first',
  'optimization.eager_batching': 'batches are always put together as soon as a replica is free',
  'optimization.cuda': "the provider's defaults hold",
  'dynamic_batching.preferred_batch_size': 'a batch leaves as soon as a replica is free',
  'dynamic_batching.preserve_ordering': 'each answer leaves as soon as it is ready',
  'dynamic_batching.priority_queue_policy': 'one queue and one policy serve all levels',
  'default_queue_policy.timeout_action': 'who is late is refused',
  'instance_group.gpus': 'replicas run on the first device of the provider',
  'instance_group.rate_limiter': 'replicas run whenever there is work',
  'instance_group.passive': 'all replicas work',
  'instance_group.profile': 'the model takes the shapes that its file declares',
  'instance_group.secondary_devices': "the provider's device runs all of the model",
  'instance_group.host_policy': "the system places the model's threads",
  'instance_group.kind KIND_MODEL': '`execution.providers` in understudy.yaml chooses the device',
};

/** Values that mean the same as nothing. */
const DEFAULT_NAMES: ReadonlySet<unknown> = new Set(['REJECT', 'PRIORITY_DEFAULT']);

/** Names of one kind that are listed; the others are counted. A configuration may have thousands. */
const NAMES_MAX = 20;

/** Each thing that a configuration asks for and that is not done here, as a part of a sentence. */
export function ignoredParts(config: TritonModelConfig): readonly string[] {
  const {
    dynamic_batching: batcher,
    instance_group: groups = [],
    input = [],
    output = [],
  } = config;
  const tensors = [...input, ...output].flatMap((tensor) =>
    unfollowed(tensor, FOLLOWED.tensor).map((field) =>
      withReason(field, ` of ${quoted(tensor.name ?? '')}`),
    ),
  );
  const fields = [
    ...within('dynamic_batching', batcher, FOLLOWED.batcher),
    ...within('default_queue_policy', batcher?.default_queue_policy, FOLLOWED.queue),
    ...groups.flatMap((group) => within('instance_group', group, FOLLOWED.group)),
    ...groups
      .filter(({ kind }) => kind === 'KIND_MODEL')
      .map(() => 'instance_group.kind KIND_MODEL'),
    ...within('optimization', config.optimization, FOLLOWED.optimization),
    ...unfollowed(config, FOLLOWED.config),
  ];
  return [
    ...atMost(tensors),
    ...[...new Set(fields)].map((field) => withReason(field)),
    ...parametersPart(config),
  ];
}

/** A backend's settings are free text. They are shown in the model's configuration and have no other effect. */
function parametersPart({ parameters = {} }: TritonModelConfig): readonly string[] {
  const names = atMost(Object.keys(parameters).map((name) => quoted(name)));
  if (names.length === 0) return [];
  return [`parameters ${names.join(' ')} (shown to those who ask, and not followed)`];
}

function atMost(parts: readonly string[]): readonly string[] {
  if (parts.length <= NAMES_MAX) return parts;
  return [...parts.slice(0, NAMES_MAX), `and ${parts.length - NAMES_MAX} more`];
}

function within(
  name: string,
  message: object | undefined,
  followed: ReadonlySet<string>,
): readonly string[] {
  return unfollowed(message, followed).map((field) => `${name}.${field}`);
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
