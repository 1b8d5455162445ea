import type { ArmInterval } from './gate.ts';

/** What gates by thresholds ask of the canary alone; the worlds' healthy model has a p99 of 60 ms and at most 0.5 % of failures. */
const SUCCESS_MIN = 0.99;
const P99_MS_MAX = 100;

/** Undefined: the interval had no requests. */
function successRate({ requests, failures }: ArmInterval): number | undefined {
  return requests === 0 ? undefined : 1 - failures / requests;
}

/** The 99th percentile, milliseconds; undefined without answers. */
export function p99Ms({ latencies }: ArmInterval): number | undefined {
  if (latencies.length === 0) return undefined;
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.ceil(0.99 * sorted.length) - 1];
}

/** Each check of an interval: true, false, or undefined where there was nothing to check. */
export function checks(canary: ArmInterval): readonly (boolean | undefined)[] {
  const [success, p99] = [successRate(canary), p99Ms(canary)];
  return [
    success === undefined ? undefined : success >= SUCCESS_MIN,
    p99 === undefined ? undefined : p99 <= P99_MS_MAX,
  ];
}
