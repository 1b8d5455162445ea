import type { TrialResult } from './run-demo.ts';

/** The demo's result, for machines. */
export type DemoSummary = {
  /** True if every trial ended as it should and no live request failed. */
  readonly ok: boolean;
  readonly promoted: readonly string[];
  readonly refused: readonly {
    readonly candidate: string;
    readonly decidedBy: readonly string[];
  }[];
  readonly liveRequests: number;
  readonly failedLiveRequests: number;
  /** Live latency while mirroring over live latency without, the median of the trials. */
  readonly mirrorCost: { readonly p50Ratio: number; readonly p99Ratio: number };
  readonly ledger: {
    readonly records: number;
    readonly verified: boolean;
    readonly replayed: number;
    readonly disagreements: number;
    readonly head: string;
  };
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly trials: readonly TrialResult[];
};

export type SummaryOptions = {
  readonly ledger: DemoSummary['ledger'];
  readonly seconds: number;
  readonly requestsPerSecond: number;
};

/** Adds the trials up. */
export function summarise(trials: readonly TrialResult[], options: SummaryOptions): DemoSummary {
  const promoted = trials.filter((trial) => trial.verdict === 'promoted');
  const refused = trials.filter((trial) => trial.verdict === 'rolledBack');
  const failedLiveRequests = sum(trials.map((trial) => trial.liveFailures));
  const asExpected = trials.every((trial) => trial.verdict === trial.expected);
  const { verified, disagreements } = options.ledger;
  return {
    ok: asExpected && failedLiveRequests === 0 && verified && disagreements === 0,
    promoted: promoted.map((trial) => trial.candidate),
    refused: refused.map(({ candidate, decidedBy }) => ({ candidate, decidedBy })),
    liveRequests: sum(trials.map((trial) => trial.liveRequests)),
    failedLiveRequests,
    mirrorCost: {
      p50Ratio: median(trials.map((trial) => ratioOf(trial, 'p50Ms'))),
      p99Ratio: median(trials.map((trial) => ratioOf(trial, 'p99Ms'))),
    },
    ...options,
    trials,
  };
}

function ratioOf({ latency }: TrialResult, percentile: 'p50Ms' | 'p99Ms'): number {
  const [on, off] = [latency['shadow'], latency['off']];
  return on === undefined || off === undefined ? Number.NaN : on[percentile] / off[percentile];
}

/** Of the ratios that could be measured, rounded to hundredths. */
function median(ratios: readonly number[]): number {
  const sorted = ratios.filter((ratio) => Number.isFinite(ratio)).sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return low === undefined || high === undefined ? Number.NaN : Math.round(50 * (low + high)) / 100;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
