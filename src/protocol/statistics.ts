import type { Tally, VersionStatistics } from '../gateway/model-statistics.ts';

/** How often, and how long in all. */
type Duration = { readonly count: number; readonly ns: number };

/** What a version has done, in the names of the protocol's statistics extension. */
export type ModelStats = {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970; 0: never. */
  readonly last_inference: number;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<InferenceStat, Duration>>;
  readonly batch_stats: readonly BatchStats[];
  /** Not measured by version: empty. */
  readonly memory_usage: readonly never[];
  /** Of models with several answers to a request, which are not served: empty. */
  readonly response_stats: Readonly<Record<string, never>>;
};

type InferenceStat =
  | 'success'
  | 'fail'
  | 'queue'
  | 'compute_input'
  | 'compute_infer'
  | 'compute_output'
  | 'cache_hit'
  | 'cache_miss';

type BatchStats = {
  readonly batch_size: number;
  readonly compute_input: Duration;
  readonly compute_infer: Duration;
  readonly compute_output: Duration;
};

/**
 * All fields are always there and numbers, as performance tools read them without a look. The copies into a batch and out of it
 * are not measured apart: `compute_input` and `compute_output` count what was answered, with no time, and theirs is part of
 * `compute_infer` and `success`. There is no cache: hits and misses are 0.
 */
export function modelStatsOf(statistics: VersionStatistics): ModelStats {
  const { model, version, lastInferenceMs, inferences, executions } = statistics;
  const { success, failure, queue, compute, batches } = statistics;
  return {
    name: model,
    version,
    last_inference: Math.floor(lastInferenceMs),
    inference_count: inferences,
    execution_count: executions,
    inference_stats: {
      success: durationOf(success),
      fail: durationOf(failure),
      queue: durationOf(queue),
      compute_input: untimed(compute),
      compute_infer: durationOf(compute),
      compute_output: untimed(compute),
      cache_hit: NEVER,
      cache_miss: NEVER,
    },
    batch_stats: batches.map(({ rows, compute: runs }) => ({
      batch_size: rows,
      compute_input: untimed(runs),
      compute_infer: durationOf(runs),
      compute_output: untimed(runs),
    })),
    memory_usage: [],
    response_stats: {},
  };
}

const NEVER: Duration = { count: 0, ns: 0 };

function durationOf({ count, ms }: Tally): Duration {
  return { count, ns: Math.round(ms * 1e6) };
}

function untimed({ count }: Tally): Duration {
  return { count, ns: 0 };
}
