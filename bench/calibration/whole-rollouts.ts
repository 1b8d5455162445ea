import { DEFAULT_MARGINS } from '../../src/config/defaults.ts';
import { pairedErrorsClaim } from '../../src/core/rollout.ts';
import type { Answer } from './answer.ts';
import { happens, lognormal } from './chance.ts';
import { limitOfLinear, limitOfMean } from './information-limit.ts';
import { requests } from './requests.ts';
import type { World } from './world.ts';

/** A rollout with all defaults, of a candidate that is as good as stable. */
export type WholeRollout = {
  readonly truth: string;
  readonly world: World;
  /** The limits of the metrics that bind, in shadow and in canary, added up. */
  readonly limit: number;
};

const ERROR = 0.05;
const WRONG = 0.05;

/** As many requests a second as a small service has: the least durations of steps bind where there are many. */
const PER_SECOND = 10;

export const WHOLE_ROLLOUTS: readonly WholeRollout[] = [0, 0.001, 0.005, 0.01].map((errors) => ({
  truth: `${100 * errors} % errors of both versions`,
  world: {
    name: `default-rollout-${errors}`,
    about: 'A default rollout of the same model.',
    claim: 'fair',
    rollout: { intent: 'improve' },
    labels: { windowMs: 2_000, selection: 'random' },
    requestsMax: 250_000,
    nature: sameModel(errors),
  },
  limit: limitInShadow(errors) + limitInCanary(errors),
}));

/** Labels come at once, for every answer. */
function sameModel(errors: number): World['nature'] {
  return (random) =>
    requests(random, PER_SECOND, () => {
      const answer = (): Answer => ({
        tookMs: lognormal(random, 5, 0.3),
        class: happens(random, WRONG) ? 1 : 0,
        failure: happens(random, errors) ? 'runtime_failed' : undefined,
      });
      return {
        live: answer,
        shadow: () => ({ candidate: answer(), twin: answer() }),
        label: () => ({ class: 0, afterMs: 1_000 }),
      };
    });
}

/** Both that are required in shadow see the same pairs, so the greater limit binds. */
function limitInShadow(errors: number): number {
  return Math.max(limitOfLabels(), limitOfFailures(errors));
}

function limitOfLabels(): number {
  const alone = WRONG * (1 - WRONG);
  return limitOfMean({
    truth: [
      [-1, alone],
      [0, 1 - 2 * alone],
      [1, alone],
    ],
    lower: -1,
    upper: 1,
    margin: DEFAULT_MARGINS.labelledLoss,
    finding: 'nonInferior',
    error: ERROR,
  });
}

/** Of candidate less `ratio` x stable, which fail on the same request independently of each other. */
function limitOfFailures(errors: number): number {
  const { ratio, absolute } = pairedErrorsClaim(DEFAULT_MARGINS);
  const both = errors * errors;
  return limitOfMean({
    truth: [
      [0, 1 - 2 * errors + both],
      [1, errors - both],
      [-ratio, errors - both],
      [1 - ratio, both],
    ],
    lower: -ratio,
    upper: 1,
    margin: absolute,
    finding: 'nonInferior',
    error: ERROR,
  });
}

/** Both metrics of the canary see the same requests, so the greater limit binds. */
function limitInCanary(errors: number): number {
  const { errors: failed, slowRequests: slow } = DEFAULT_MARGINS;
  const rest = { odds: 0.5, finding: 'nonInferior', error: ERROR } as const;
  const slowShare = 1 - slow.quantile;
  return Math.max(
    limitOfLinear({ candidate: errors, reference: errors, ...failed, ...rest }),
    limitOfLinear({ candidate: slowShare, reference: slowShare, ...slow, ...rest }),
  );
}
