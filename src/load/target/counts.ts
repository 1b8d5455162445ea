import type { ServerCounts, ServerSplit, Target } from '../nouns/target.ts';

const NS_PER_MS = 1e6;

/**
 * The counts of a target in an answer of the protocol's statistics extension: over all versions where it names none. Compute is
 * all of it, copies included. undefined where there are none, or they are no numbers.
 */
export function countsIn(
  { model, version }: Pick<Target, 'model' | 'version'>,
  statistics: unknown,
): ServerCounts | undefined {
  const entries = at(statistics, 'model_stats');
  if (!Array.isArray(entries)) return undefined;
  const own = entries.filter(
    (entry) =>
      at(entry, 'name') === model && (version === undefined || at(entry, 'version') === version),
  );
  const counts = own.map(countsOf);
  const total = counts.reduce(sum, NONE);
  return counts.length > 0 && Object.values(total).every(isCount) ? total : undefined;
}

/** What happened between two looks; undefined where nothing did, or the server reset its counts in between. */
export function splitBetween(before: ServerCounts, after: ServerCounts): ServerSplit | undefined {
  const requests = after.requests - before.requests;
  const runs = after.runs - before.runs;
  const queueNs = after.queueNs - before.queueNs;
  const computeNs = after.computeNs - before.computeNs;
  if (requests <= 0 || runs < 0 || queueNs < 0 || computeNs < 0) return undefined;
  return {
    requests,
    requestsPerRun: runs === 0 ? 0 : requests / runs,
    queueMs: queueNs / requests / NS_PER_MS,
    computeMs: computeNs / requests / NS_PER_MS,
  };
}

const NONE: ServerCounts = { requests: 0, runs: 0, queueNs: 0, computeNs: 0 };

function countsOf(entry: unknown): ServerCounts {
  const times = at(entry, 'inference_stats');
  const ns = (name: string): number => Number(at(at(times, name), 'ns') ?? 0);
  return {
    requests: Number(at(at(times, 'success'), 'count')),
    runs: Number(at(entry, 'execution_count')),
    queueNs: ns('queue'),
    computeNs: ns('compute_input') + ns('compute_infer') + ns('compute_output'),
  };
}

function sum(a: ServerCounts, b: ServerCounts): ServerCounts {
  return {
    requests: a.requests + b.requests,
    runs: a.runs + b.runs,
    queueNs: a.queueNs + b.queueNs,
    computeNs: a.computeNs + b.computeNs,
  };
}

function isCount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
