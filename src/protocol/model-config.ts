/**
 * How a model is served, in the shape and the names of Triton's ModelConfig, which tools read before they send anything: as
 * JSON over HTTP, as the message of the same fields over gRPC.
 */
import type { DeclaredWarmup } from '../core/declared.ts';
import type { RepositoryVersion, ServingFacts } from '../core/repository-version.ts';
import { type Reshape, reshapeOf } from '../core/reshape.ts';
import { type Dtype, isBatchable, type TensorSpec } from '../core/tensor.ts';
import type { VersionPolicy } from '../core/version.ts';

/** Numbers are whole, and enumerations are their names. */
export type ModelConfig = {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  readonly version_policy: VersionPolicyConfig;
  /** Rows of one run; 0: there is no batch dimension, and all dimensions are in `dims`. */
  readonly max_batch_size: number;
  readonly input: readonly InputConfig[];
  readonly output: readonly OutputConfig[];
  readonly optimization: Readonly<Record<string, never>>;
  readonly dynamic_batching?: DynamicBatchingConfig;
  readonly instance_group: readonly InstanceGroupConfig[];
  readonly default_model_filename: string;
  readonly parameters: Readonly<Record<string, { readonly string_value: string }>>;
  readonly model_warmup: readonly DeclaredWarmup[];
  /** One answer to each request, always. */
  readonly model_transaction_policy: { readonly decoupled: false };
};

type VersionPolicyConfig =
  | { readonly latest: { readonly num_versions: number } }
  | { readonly all: Readonly<Record<string, never>> }
  | { readonly specific: { readonly versions: readonly number[] } };

type TensorConfig = {
  readonly name: string;
  readonly data_type: string;
  /** Without the batch dimension where there is one. */
  readonly dims: readonly number[];
  /** What the model has in place of `dims`. Also where `dims`, which must not be empty, stands for no dimension at all. */
  readonly reshape?: { readonly shape: readonly number[] };
};

type InputConfig = TensorConfig & {
  readonly format: string;
  readonly is_shape_tensor: false;
  readonly allow_ragged_batch: false;
  readonly optional: boolean;
};

type OutputConfig = TensorConfig & {
  readonly label_filename: string;
  readonly is_shape_tensor: false;
};

type DynamicBatchingConfig = {
  readonly preferred_batch_size: readonly never[];
  readonly max_queue_delay_microseconds: number;
  readonly preserve_ordering: false;
  readonly priority_levels: number;
  readonly default_priority_level: number;
  readonly default_queue_policy: {
    readonly timeout_action: 'REJECT';
    /** Ours bounds the whole request, and callers may shorten it. */
    readonly default_timeout_microseconds: number;
    readonly allow_timeout_override: true;
    readonly max_queue_size: number;
  };
};

type InstanceGroupConfig = {
  readonly name: string;
  readonly kind: 'KIND_CPU' | 'KIND_GPU';
  readonly count: number;
};

/** The configuration that a version is served with. */
export function modelConfigOf(model: string, state: RepositoryVersion): ModelConfig {
  const { platform, signature, facts } = state;
  const batched = isBatched(state);
  const parameters = [...facts.declared.parameters].map(
    ([name, string_value]) => [name, { string_value }] as const,
  );
  return {
    name: model,
    platform,
    backend: platform.split('_')[0] ?? platform,
    version_policy: versionPolicyOf(facts.versionPolicy),
    max_batch_size: batched ? facts.rowsMax : 0,
    input: signature.inputs.map((spec) => inputOf(spec, state)),
    output: signature.outputs.map((spec) => outputOf(spec, state)),
    optimization: {},
    ...(batched && facts.rowsMax > 1 ? { dynamic_batching: dynamicBatchingOf(facts) } : {}),
    instance_group: [
      {
        name: model,
        kind: facts.device === 'cpu' ? 'KIND_CPU' : 'KIND_GPU',
        count: facts.replicas,
      },
    ],
    default_model_filename: facts.modelFile,
    parameters: Object.fromEntries(parameters),
    model_warmup: facts.declared.warmups,
    model_transaction_policy: { decoupled: false },
  };
}

/** Whether the first dimension of a version's tensors is the batch, as clients see it: requests may then share a run. */
export function isBatched({ signature, facts }: RepositoryVersion): boolean {
  return facts.rowsMax > 0 && isBatchable(signature);
}

/** The message has room for numbers alone: versions by other names, which only exist here, are left out. */
function versionPolicyOf(policy: VersionPolicy): VersionPolicyConfig {
  switch (policy.kind) {
    case 'latest':
      return { latest: { num_versions: policy.count } };
    case 'all':
      return { all: {} };
    case 'specific': {
      const numeric = policy.versions.filter((version) => /^\d{1,15}$/.test(version));
      return { specific: { versions: numeric.map(Number) } };
    }
  }
}

function inputOf(spec: TensorSpec, state: RepositoryVersion): InputConfig {
  return {
    ...tensorOf(spec, 'input', state),
    format: state.facts.declared.formats.get(spec.name) ?? 'FORMAT_NONE',
    is_shape_tensor: false,
    allow_ragged_batch: false,
    optional: spec.optional ?? false,
  };
}

/** Labels may come from elsewhere than a file of the configuration; tools look at whether there is a name. */
function outputOf(spec: TensorSpec, state: RepositoryVersion): OutputConfig {
  const { labels, facts } = state;
  const written = facts.declared.labelFiles.get(spec.name);
  return {
    ...tensorOf(spec, 'output', state),
    label_filename: written ?? (labels.has(spec.name) ? LABEL_FILE : ''),
    is_shape_tensor: false,
  };
}

const LABEL_FILE = 'labels.txt';

function tensorOf(
  { name, dtype, shape }: TensorSpec,
  side: Reshape['side'],
  state: RepositoryVersion,
): TensorConfig {
  // What may be left out may have no rows.
  const below = (whole: readonly number[]) =>
    isBatched(state) && shape[0] === -1 ? whole.slice(1) : whole;
  const dims = below(shape);
  const data_type = TYPE_NAMES[dtype];
  const reshape = reshapeOf(state.facts.reshapes, side, name);
  if (reshape) return { name, data_type, dims, reshape: { shape: below(reshape.model) } };
  if (dims.length > 0) return { name, data_type, dims };
  return { name, data_type, dims: [1], reshape: { shape: [] } };
}

const TYPE_NAMES = {
  BOOL: 'TYPE_BOOL',
  UINT8: 'TYPE_UINT8',
  UINT16: 'TYPE_UINT16',
  UINT32: 'TYPE_UINT32',
  UINT64: 'TYPE_UINT64',
  INT8: 'TYPE_INT8',
  INT16: 'TYPE_INT16',
  INT32: 'TYPE_INT32',
  INT64: 'TYPE_INT64',
  FP16: 'TYPE_FP16',
  BF16: 'TYPE_BF16',
  FP32: 'TYPE_FP32',
  FP64: 'TYPE_FP64',
  BYTES: 'TYPE_STRING',
} as const satisfies Record<Dtype, string>;

function dynamicBatchingOf(facts: ServingFacts): DynamicBatchingConfig {
  return {
    preferred_batch_size: [],
    max_queue_delay_microseconds: Math.round(facts.delayMs * 1_000),
    preserve_ordering: false,
    priority_levels: facts.priorityLevels,
    default_priority_level: facts.defaultPriority,
    default_queue_policy: {
      timeout_action: 'REJECT',
      default_timeout_microseconds: Math.round(facts.deadlineMs * 1_000),
      allow_timeout_override: true,
      max_queue_size: facts.queueRequestsMax,
    },
  };
}
