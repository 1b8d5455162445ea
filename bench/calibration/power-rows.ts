import { DEFAULT_MARGINS } from '../../src/config/defaults.ts';
import { pairedErrorsClaim } from '../../src/core/rollout.ts';
import type { MetricName } from '../../src/core/verdict.ts';
import { happens, lognormal } from './chance.ts';
import {
  type Distribution,
  type Finding,
  limitOfLinear,
  limitOfMean,
} from './information-limit.ts';
import { failing, healthy, requests } from './requests.ts';
import { atHalf, inShadow, labelled } from './steps.ts';
import type { World, WorldRequest } from './world.ts';

/** One metric, one truth: how many samples until the finding, against the least that any test needs. */
export type PowerRow = {
  readonly metric: MetricName;
  readonly truth: string;
  readonly finding: Finding;
  readonly limit: number;
  readonly world: World;
  /** The rule pays for blocks of time, in which samples depend on each other: no ratio is aimed at. */
  readonly inBlocks: boolean;
};

/** For "no worse" the whole budget; for "worse" the share of one of five metrics, as in the default steps. */
const ERROR = { nonInferior: 0.05, worse: 0.01 } as const;

const ERROR_BUDGET = { falseRollback: ERROR.worse, falsePromotion: ERROR.nonInferior };

/** Steps wait for evidence alone, so that nothing but the tests is measured. */
function rowWorld(
  name: string,
  rollout: World['rollout'],
  rest: Pick<World, 'nature' | 'requestsMax'>,
): World {
  return {
    name,
    about: `${name}.`,
    claim: 'fair',
    rollout: { ...rollout, errorBudget: ERROR_BUDGET },
    lookEveryMs: 200,
    labels: { windowMs: 200, selection: 'random' },
    ...rest,
  };
}

/** Shares of pairs in which only the candidate, or only stable, is bad. */
type PairTruth = { readonly won: number; readonly lost: number };
type PairMetric = 'disagreement' | 'labelledLoss';

function distributionOf({ won, lost }: PairTruth): Distribution {
  return [
    [-1, won],
    [0, 1 - won - lost],
    [1, lost],
  ];
}

function pairNature(metric: PairMetric, { won, lost }: PairTruth): World['nature'] {
  return (random) =>
    requests(random, 50, (): Partial<WorldRequest> => {
      const place = random.unit();
      const [candidateBad, stableBad] = [place < lost, place >= 1 - won];
      const one = (isBad: boolean) => ({ tookMs: 4, class: isBad ? 1 : 0 });
      // Labels are held against the live answer, noise against the twin.
      const live = metric === 'disagreement' ? one(false) : one(stableBad);
      return {
        live: () => live,
        shadow: () => ({ candidate: one(candidateBad), twin: one(stableBad) }),
        label: () => ({ class: 0, afterMs: 20 }),
      };
    });
}

function pairRow(metric: PairMetric, truth: string, given: PairTruth & { finding: Finding }) {
  const { finding, ...shares } = given;
  const steps = metric === 'labelledLoss' ? labelled() : inShadow(metric);
  const intent = metric === 'labelledLoss' ? ('improve' as const) : ('equivalent' as const);
  return {
    metric,
    truth,
    finding,
    inBlocks: false,
    limit: limitOfMean({
      truth: distributionOf(shares),
      lower: -1,
      upper: 1,
      margin: DEFAULT_MARGINS[metric],
      finding,
      error: ERROR[finding],
    }),
    world: rowWorld(
      `${metric}, ${truth}`,
      { intent, steps },
      {
        nature: pairNature(metric, shares),
        requestsMax: 80_000,
      },
    ),
  } satisfies PowerRow;
}

type LiveTruth = {
  readonly candidate: number;
  readonly reference: number;
  readonly finding: Finding;
};

/** Both versions fail on the same request, independently of each other. */
function failuresRow(truth: string, { candidate, reference, finding }: LiveTruth): PowerRow {
  const { ratio, absolute } = pairedErrorsClaim(DEFAULT_MARGINS);
  const both = candidate * reference;
  return {
    metric: 'pairedErrors',
    truth,
    finding,
    inBlocks: false,
    limit: limitOfMean({
      truth: [
        [0, 1 - candidate - reference + both],
        [1, candidate - both],
        [-ratio, reference - both],
        [1 - ratio, both],
      ],
      lower: -ratio,
      upper: 1,
      margin: absolute,
      finding,
      error: ERROR[finding],
    }),
    world: rowWorld(
      `pairedErrors, ${truth}`,
      { steps: inShadow('pairedErrors') },
      {
        requestsMax: 80_000,
        nature: (random) =>
          requests(random, 50, () => ({
            live: () => (happens(random, reference) ? failing(random) : healthy(random)),
            shadow: () => ({
              candidate: happens(random, candidate) ? failing(random) : healthy(random),
              twin: healthy(random),
            }),
          })),
      },
    ),
  };
}

function errorsRow(truth: string, { candidate, reference, finding }: LiveTruth): PowerRow {
  const { ratio, absolute } = DEFAULT_MARGINS.errors;
  return {
    metric: 'errors',
    truth,
    finding,
    inBlocks: false,
    limit: limitOfLinear({
      candidate,
      reference,
      odds: 0.5,
      ratio,
      absolute,
      finding,
      error: ERROR[finding],
    }),
    world: rowWorld(
      `errors, ${truth}`,
      { steps: atHalf('errors') },
      {
        requestsMax: 150_000,
        nature: (random) =>
          requests(random, 50, () => ({
            live: (arm) =>
              happens(random, arm === 'candidate' ? candidate : reference)
                ? failing(random)
                : healthy(random),
          })),
      },
    ),
  };
}

/** `slow`: the shares of both arms beyond the reference's quantile, as the latencies make them. */
function slowRow(truth: string, given: LiveTruth & { readonly times: number }): PowerRow {
  const { ratio, absolute } = DEFAULT_MARGINS.slowRequests;
  const { times, finding, ...slow } = given;
  return {
    metric: 'slowRequests',
    truth,
    finding,
    inBlocks: true,
    limit: limitOfLinear({
      ...slow,
      odds: 0.5,
      ratio,
      absolute,
      finding,
      error: ERROR[finding],
    }),
    world: rowWorld(
      `slowRequests, ${truth}`,
      { steps: atHalf('slowRequests') },
      {
        requestsMax: 150_000,
        nature: (random) =>
          requests(random, 50, () => ({
            live: (arm) => ({
              tookMs: lognormal(random, 5, 0.5) * (arm === 'candidate' ? times : 1),
            }),
          })),
      },
    ),
  };
}

function latencyRow(truth: string, slower: number): PowerRow {
  const { ratio } = DEFAULT_MARGINS.pairedLatency;
  return {
    metric: 'pairedLatency',
    truth,
    finding: 'worse',
    inBlocks: true,
    limit: limitOfMean({
      truth: [
        [0, 1 - slower],
        [1, slower],
      ],
      lower: 0,
      upper: 1,
      margin: 0.5,
      finding: 'worse',
      error: ERROR.worse,
    }),
    world: rowWorld(
      `pairedLatency, ${truth}`,
      {
        intent: 'improve',
        steps: [
          { kind: 'setMirror', percentage: 100, twin: 100 },
          { kind: 'analysis', require: ['labelledLoss'], reject: ['pairedLatency'] },
          { kind: 'promote' },
        ],
        // One of two metrics: twice the budget gives it the share that it has of five.
        errorBudget: { ...ERROR_BUDGET, falseRollback: 2 * ERROR.worse },
      },
      {
        requestsMax: 80_000,
        nature: (random) =>
          requests(random, 50, () => ({
            shadow: () => ({
              candidate: { tookMs: 4 * (happens(random, slower) ? 2 * ratio : 1) },
              twin: { tookMs: 4 },
            }),
          })),
      },
    ),
  };
}

const safe = { finding: 'nonInferior' } as const;
const worse = { finding: 'worse' } as const;

/** Beyond the reference's 99th percentile lies 1 % of its requests; of latencies `times` as long, more. */
const SLOW_AT = { 1: 0.01, 1.1: 0.0165, 2: 0.1734 } as const;

export const POWER_ROWS: readonly PowerRow[] = [
  pairRow('labelledLoss', 'the same, each wrong alone in 5 %', { won: 0.05, lost: 0.05, ...safe }),
  pairRow('labelledLoss', '1 point worse', { won: 0.05, lost: 0.06, ...safe }),
  pairRow('labelledLoss', '3 points better', { won: 0.07, lost: 0.04, ...safe }),
  pairRow('labelledLoss', '3 points worse', { won: 0.05, lost: 0.08, ...worse }),
  pairRow('labelledLoss', '10 points worse', { won: 0.05, lost: 0.15, ...worse }),
  pairRow('disagreement', 'none', { won: 0, lost: 0, ...safe }),
  pairRow('disagreement', '2 %, and 2 % of stable with itself', { won: 0.02, lost: 0.02, ...safe }),
  pairRow('disagreement', '5 %', { won: 0, lost: 0.05, ...worse }),
  failuresRow('none', { candidate: 0, reference: 0, ...safe }),
  failuresRow('0.1 % of both', { candidate: 0.001, reference: 0.001, ...safe }),
  failuresRow('1 % of both', { candidate: 0.01, reference: 0.01, ...safe }),
  failuresRow('0.4 %', { candidate: 0.004, reference: 0, ...worse }),
  failuresRow('2 %', { candidate: 0.02, reference: 0, ...worse }),
  latencyRow('slower in 75 % of the pairs', 0.75),
  errorsRow('none', { candidate: 0, reference: 0, ...safe }),
  errorsRow('0.1 % of both', { candidate: 0.001, reference: 0.001, ...safe }),
  errorsRow('0.5 % of both', { candidate: 0.005, reference: 0.005, ...safe }),
  errorsRow('1 % of both', { candidate: 0.01, reference: 0.01, ...safe }),
  errorsRow('2 % against 0.5 %', { candidate: 0.02, reference: 0.005, ...worse }),
  errorsRow('2.5 % against 0.5 %', { candidate: 0.025, reference: 0.005, ...worse }),
  errorsRow('5 % against 0.1 %', { candidate: 0.05, reference: 0.001, ...worse }),
  slowRow('the same', { candidate: SLOW_AT[1], reference: 0.01, times: 1, ...safe }),
  slowRow('latency x 1.1', { candidate: SLOW_AT[1.1], reference: 0.01, times: 1.1, ...safe }),
  slowRow('latency x 2', { candidate: SLOW_AT[2], reference: 0.01, times: 2, ...worse }),
];
