import { LIMITS } from '../config/model-section.ts';
import type {
  TritonInstanceGroup,
  TritonModelConfig,
  TritonQueuePolicy,
  TritonVersionPolicy,
} from './triton-config.ts';

/** Keys and values as in `understudy.yaml`. */
export type Section = Readonly<Record<string, unknown>>;

/**
 * What a configuration says of rows. `rows`: the dimensions that it lists are those of one row; `off`: they are all of them,
 * and the first is no batch; `unsaid`: the model file decides.
 */
export type Batching = 'rows' | 'off' | 'unsaid';

const KIND_PROVIDERS: Readonly<Record<string, string>> = { KIND_CPU: 'cpu', KIND_GPU: 'cuda' };

/**
 * Without a `max_batch_size`, the dimensions are whole if some are listed. If none are, everything is left to the model file,
 * as it is where a dynamic batcher is wanted.
 */
export function batchingOf(config: TritonModelConfig): Batching {
  const { max_batch_size: rows, dynamic_batching: batcher, input = [], output = [] } = config;
  if (rows !== undefined && rows < 0) {
    throw new Error(`max_batch_size: expected 0 or more rows, found ${rows}`);
  }
  if (rows !== undefined) return rows > 0 ? 'rows' : 'off';
  const listsDims = [...input, ...output].some(({ dims = [] }) => dims.length > 0);
  return batcher || !listsDims ? 'unsaid' : 'off';
}

/** The section, and notes on what had to be cut to our limits. */
export function sectionFrom(
  config: TritonModelConfig,
  batching: Batching,
): { readonly section: Section; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const most = (name: string, value: number, max: number): number => {
    if (value <= max) return value;
    notes.push(`${name} above ${max}`);
    return max;
  };
  if (batching === 'off' && config.dynamic_batching?.max_queue_delay_microseconds) {
    notes.push('dynamic_batching.max_queue_delay_microseconds (batching is off)');
  }
  const section = compact({
    batch: batching === 'off' ? 'off' : batchOf(config, most),
    queue: queueOf(config, most),
    instances: instancesOf(config.instance_group ?? [], most),
    execution: executionOf(config.instance_group ?? [], notes),
    versions: versionsOf(config.version_policy, most),
  });
  return { section, notes };
}

/** Cuts a value to a limit, and makes a note of it. */
type Most = (name: string, value: number, max: number) => number;

function batchOf(config: TritonModelConfig, most: Most): Section {
  const { max_batch_size: rows, dynamic_batching: batcher } = config;
  const delayUs = batcher?.max_queue_delay_microseconds;
  return compact({
    rowsMax: rows && most('max_batch_size', rows, LIMITS.rowsMax),
    delayMs:
      delayUs &&
      most('dynamic_batching.max_queue_delay_microseconds', delayUs / 1_000, LIMITS.delayMs),
  });
}

function queueOf({ dynamic_batching: batcher }: TritonModelConfig, most: Most): Section {
  const { max_queue_size: requests, default_timeout_microseconds: timeoutUs }: TritonQueuePolicy =
    batcher?.default_queue_policy ?? {};
  const { priority_levels: levels, default_priority_level: level } = batcher ?? {};
  if (levels && level && level > levels) {
    throw new Error(
      `dynamic_batching.default_priority_level: expected 1 to ${levels}, the priority_levels, found ${level}`,
    );
  }
  const levelsMax = LIMITS.priorityLevels;
  return compact({
    requestsMax: requests && most('max_queue_size', requests, LIMITS.requestsMax),
    deadlineMs:
      timeoutUs &&
      most('default_timeout_microseconds', Math.ceil(timeoutUs / 1_000), LIMITS.deadlineMs),
    priorityLevels: levels && most('priority_levels', levels, levelsMax),
    defaultPriority: levels && level && Math.min(level, levelsMax),
  });
}

/** Replicas are alike here: the groups are counted together. */
function instancesOf(groups: readonly TritonInstanceGroup[], most: Most): Section {
  const count = groups.reduce((sum, group) => sum + (group.count ?? 0), 0);
  return count > 0 ? { replicas: most('instance_group.count', count, LIMITS.replicas) } : {};
}

/** All replicas run on one kind of device: the first that is named. */
function executionOf(groups: readonly TritonInstanceGroup[], notes: string[]): Section {
  const named = groups.flatMap(({ kind }) => KIND_PROVIDERS[String(kind)] ?? []);
  const [first, ...others] = new Set(named);
  if (others.length > 0) notes.push('instance_group.kind of another group than the first');
  return first === undefined ? {} : { providers: [first] };
}

function versionsOf(policy: TritonVersionPolicy | undefined, most: Most): unknown {
  if (policy?.all) return 'all';
  if (policy?.specific) {
    const { versions = [] } = policy.specific;
    if (versions.length > 0) return versions.map(String);
    throw new Error('version_policy.specific: expected at least one version, found none');
  }
  const count = policy?.latest && (policy.latest.num_versions || 1);
  return count && { latest: most('version_policy.latest.num_versions', count, LIMITS.versions) };
}

/** Without what is not said: undefined, 0, and sections that are empty. */
function compact(section: Section): Section {
  const said = Object.entries(section).filter(
    ([, value]) =>
      value !== undefined &&
      value !== 0 &&
      !(typeof value === 'object' && value !== null && Object.keys(value).length === 0),
  );
  return Object.fromEntries(said);
}
