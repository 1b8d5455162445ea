/**
 * How many samples each finding takes with the default margins, as docs/reference/statistics.md states them. Computed, not
 * simulated: evidence that comes in exactly its expected proportions, so about what half of all rollouts need.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { DEFAULT_MARGINS } from '../../src/config/defaults.ts';
import { pairedErrorsClaim } from '../../src/core/rollout.ts';
import type { Judgement } from '../../src/decide/judgement.ts';
import { judgePairedLatency } from '../../src/decide/paired-latency.ts';
import { judgeSlowRequests } from '../../src/decide/slow-requests.ts';
import { harmOfMean, safeOfMean, type ValueCounts } from '../../src/stats/bets.ts';
import { harmOfClaim, safeOfClaim } from '../../src/stats/linear-claim.ts';
import { logEvidence } from '../../src/stats/mixture.ts';
import { harmOfPairs, type PairedShares, safeOfPairs } from '../../src/stats/paired-claim.ts';
import { projectRoot } from '../support/project-root.ts';
import { anExposure, aSpec, blocks, goodEvidence, repeated } from './builders.ts';

/** Five metrics share the budget in the default steps. */
const HARM_NEEDED = Math.log(5 / 0.05);
const SAFE_NEEDED = Math.log(1 / 0.05);

type Row = {
  readonly metric: string;
  readonly truth: string;
  readonly finding: 'worse' | 'nonInferior';
  readonly logEvidence: (samples: number) => number;
};

/** The least whole number of samples whose evidence suffices. */
function samplesNeeded(row: Row): number {
  const needed = row.finding === 'worse' ? HARM_NEEDED : SAFE_NEEDED;
  let high = 1;
  while (row.logEvidence(high) < needed) high *= 2;
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (row.logEvidence(middle) < needed) low = middle;
    else high = middle;
  }
  return high;
}

type MeanMetric = 'disagreement' | 'labelledLoss';

/** Differences of -1 and 1 in the given shares of the pairs. */
function meanRow(
  metric: MeanMetric,
  truth: string,
  shares: { minus: number; plus: number; finding: Row['finding'] },
): Row {
  const { minus, plus, finding } = shares;
  const claim = { lower: -1, upper: 1, margin: DEFAULT_MARGINS[metric] };
  const test = finding === 'worse' ? harmOfMean : safeOfMean;
  const counts = (n: number): ValueCounts => [
    [-1, n * minus],
    [0, n * (1 - minus - plus)],
    [1, n * plus],
  ];
  const bets = metric === 'labelledLoss' ? 'labels' : 'present';
  return { metric, truth, finding, logEvidence: (n) => logEvidence(test(counts(n), claim, bets)) };
}

/** Pairs of versions that fail independently of each other. */
function pairedRow(truth: string, { candidate, reference, finding }: LiveTruth): Row {
  const test = finding === 'worse' ? harmOfPairs : safeOfPairs;
  const both = candidate * reference;
  const seen = (n: number): PairedShares => [
    [0, 0, n * (1 - candidate - reference + both)],
    [1, 0, n * (candidate - both)],
    [0, 1, n * (reference - both)],
    [1, 1, n * both],
  ];
  const claim = pairedErrorsClaim(DEFAULT_MARGINS);
  return {
    metric: 'pairedErrors',
    truth,
    finding,
    logEvidence: (n) => logEvidence(test(seen(n), claim)),
  };
}

/** Blocks of 40 pairs, each with the given share of slower ones. */
function latencyRow(truth: string, share: number): Row {
  return {
    metric: 'pairedLatency',
    truth,
    finding: 'worse',
    logEvidence: (n) => {
      const latencyBlocks = blocks(repeated(n, [40, 40 * share] as const), 10_000);
      return logEvidenceOf(judgePairedLatency(goodEvidence({ latencyBlocks }), SPEC), 'worse');
    },
  };
}

type LiveTruth = { candidate: number; reference: number; finding: Row['finding'] };

/** Units of both arms, half and half, against a linear claim. */
function claimRow(truth: string, { candidate, reference, finding }: LiveTruth): Row {
  const test = finding === 'worse' ? harmOfClaim : safeOfClaim;
  const shares = (n: number, rate: number): ValueCounts => [
    [0, (n / 2) * (1 - rate)],
    [1, (n / 2) * rate],
  ];
  return {
    metric: 'errors',
    truth,
    finding,
    logEvidence: (n) => {
      const seen = { odds: 0.5, candidate: shares(n, candidate), reference: shares(n, reference) };
      return logEvidence(test([seen], DEFAULT_MARGINS.errors));
    },
  };
}

/** Blocks of 500 requests an arm, each with the given shares of slow ones. */
function slowRow(truth: string, { candidate, reference, finding }: LiveTruth): Row {
  return {
    metric: 'slowRequests',
    truth,
    finding,
    logEvidence: (n) => {
      const [slow, others] = [500 * candidate, 500 * reference];
      const slowBlocks = blocks(repeated(n, [500, slow, 500, others] as const));
      const arm = (bad: number) => ({ units: 500 * n, slow: bad * n });
      const live = { '500:500': anExposure(arm(slow), arm(others)) };
      return logEvidenceOf(judgeSlowRequests(goodEvidence({ slowBlocks, live }), SPEC), finding);
    },
  };
}

const SPEC = aSpec({ margins: DEFAULT_MARGINS });

function logEvidenceOf({ proof }: Judgement, finding: Row['finding']): number {
  if (proof.kind === 'missing') return 0;
  if (finding === 'worse') return proof.logHarm;
  return proof.held === undefined ? logEvidence(proof.safe ?? []) : 0;
}

const safe = 'nonInferior';
const worse = 'worse';

const ROWS: readonly Row[] = [
  meanRow('disagreement', 'the same answers', { minus: 0, plus: 0, finding: safe }),
  meanRow('disagreement', '2 % differ, and so do 2 % of stable with itself', {
    minus: 0.0196,
    plus: 0.0196,
    finding: safe,
  }),
  meanRow('disagreement', '5 % differ, stable never', { minus: 0, plus: 0.05, finding: worse }),
  pairedRow('neither fails', { candidate: 0, reference: 0, finding: safe }),
  pairedRow('0.1 % of both', { candidate: 0.001, reference: 0.001, finding: safe }),
  pairedRow('1 % of both', { candidate: 0.01, reference: 0.01, finding: safe }),
  pairedRow('0.4 % against 0 %', { candidate: 0.004, reference: 0, finding: worse }),
  pairedRow('2 % against 0 %', { candidate: 0.02, reference: 0, finding: worse }),
  pairedRow('10 % against 0 %', { candidate: 0.1, reference: 0, finding: worse }),
  meanRow('labelledLoss', 'wrong 3 points less often (4 % lost, 7 % won)', {
    minus: 0.07,
    plus: 0.04,
    finding: safe,
  }),
  meanRow('labelledLoss', 'as often wrong (5 % lost, 5 % won)', {
    minus: 0.05,
    plus: 0.05,
    finding: safe,
  }),
  meanRow('labelledLoss', 'wrong 15 points more often (20 % lost, 5 % won)', {
    minus: 0.05,
    plus: 0.2,
    finding: worse,
  }),
  latencyRow('slower in 75 % of the pairs', 0.75),
  latencyRow('slower in all pairs', 1),
  claimRow('neither fails', { candidate: 0, reference: 0, finding: safe }),
  claimRow('0.1 % of both', { candidate: 0.001, reference: 0.001, finding: safe }),
  claimRow('1 % of both', { candidate: 0.01, reference: 0.01, finding: safe }),
  claimRow('2.5 % against 0.5 %', { candidate: 0.025, reference: 0.005, finding: worse }),
  claimRow('10 % against 0.1 %', { candidate: 0.1, reference: 0.001, finding: worse }),
  slowRow('1 % of both', { candidate: 0.01, reference: 0.01, finding: safe }),
  slowRow('5 % against 1 %', { candidate: 0.05, reference: 0.01, finding: worse }),
  slowRow('20 % against 1 %', { candidate: 0.2, reference: 0.01, finding: worse }),
];

t.test('the sample sizes in the documentation are the ones that the code has', async (t) => {
  const text = readFileSync(path.join(projectRoot, 'docs/reference/statistics.md'), 'utf8');
  for (const row of ROWS) {
    const samples = samplesNeeded(row).toLocaleString('en-US');
    const line = `| \`${row.metric}\` | ${row.truth} | \`${row.finding}\` | ${samples} |`;
    t.ok(text.includes(line), line);
  }
});

t.test('the margins in the documentation are the defaults', async (t) => {
  const text = readFileSync(path.join(projectRoot, 'docs/reference/statistics.md'), 'utf8');
  for (const [metric, margin] of Object.entries(DEFAULT_MARGINS)) {
    const written = typeof margin === 'number' ? `${margin}` : JSON.stringify(margin);
    const words = written.replaceAll('"', '').replace(/[{}]/g, '').replaceAll(':', ' ');
    const line = `| \`${metric}\` | ${words.replaceAll(',', ', ')} |`;
    t.ok(text.includes(line), line);
  }
});
