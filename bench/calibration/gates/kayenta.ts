import type { Gate, Interval } from './gate.ts';
import { p99Ms } from './thresholds.ts';

const LIFETIME_MINUTES = 30;
const JUDGE_EVERY_MINUTES = 10;
const SHARE = 0.1;
const PASS = 95;
const MARGINAL = 75;

/** Two-sided 98 %. */
const Z = 2.3263478740408408;
const TOLERANCE = 0.25;

type Series = { readonly candidate: number[]; readonly reference: number[] };

/**
 * Kayenta's judge: a baseline as large as the canary, points of a minute, and per metric (failures, p99) a Mann-Whitney interval at
 * 98 %. A metric is high where the interval lies above a quarter of the estimated shift. The score is the share of metrics
 * that pass: below `marginal` at any judgement it stops, and at the end it needs `pass`.
 * Source: github.com/spinnaker/kayenta, docs/canary-config.md and its NetflixACAJudge; Spinnaker's canary best practices.
 */
export const kayenta: Gate = {
  name: 'Kayenta style',
  everyMs: 60_000,
  begin: () => {
    let minutes = 0;
    const metrics = [series(), series()];
    return {
      weights: () => ({ candidate: SHARE, baseline: SHARE }),
      judge: (interval) => {
        minutes += 1;
        addPoints(metrics, interval);
        if (minutes % JUDGE_EVERY_MINUTES !== 0) return 'goOn';
        const passed = metrics.filter((metric) => !isHigh(metric)).length;
        const score = (100 * passed) / metrics.length;
        if (score < MARGINAL) return 'rollBack';
        if (minutes < LIFETIME_MINUTES) return 'goOn';
        return score >= PASS ? 'promote' : 'rollBack';
      },
    };
  },
};

function series(): Series {
  return { candidate: [], reference: [] };
}

function addPoints([failures, latency]: readonly Series[], interval: Interval): void {
  for (const arm of ['candidate', 'reference'] as const) {
    const { requests, failures: failed } = interval[arm];
    if (requests > 0) failures?.[arm].push(failed / requests);
    const p99 = p99Ms(interval[arm]);
    if (p99 !== undefined) latency?.[arm].push(p99);
  }
}

/** Whether the canary is higher: the interval of the shift between the two, from the ordered differences of all points. */
function isHigh({ candidate, reference }: Series): boolean {
  const [n, m] = [candidate.length, reference.length];
  if (n === 0 || m === 0) return false;
  const differences = candidate
    .flatMap((mine) => reference.map((theirs) => mine - theirs))
    .sort((a, b) => a - b);
  const deviation = Math.sqrt((n * m * (n + m + 1)) / 12);
  const rank = Math.floor((n * m) / 2 - Z * deviation);
  const low = differences[Math.max(0, rank - 1)] ?? 0;
  const shift = differences[Math.floor(differences.length / 2)] ?? 0;
  return low > 0 && low > TOLERANCE * Math.abs(shift);
}
