import { happens, lognormal } from '../chance.ts';
import { requests } from '../requests.ts';
import type { World } from '../world.ts';

/**
 * What is slow is learned in shadow from stable's requests; then candidate and control are new copies, three times as slow as that.
 * `tail`: the candidate's share of requests that take twenty times as long, beside 2 % of stable's.
 */
function slowCopies(tail: number): Pick<World, 'rollout' | 'requestsMax' | 'nature'> {
  return {
    rollout: {
      steps: [
        { kind: 'setMirror', percentage: 100, twin: 0 },
        { kind: 'analysis', require: ['pairedErrors'], reject: [] },
        { kind: 'setWeight', percent: 5, control: true },
        { kind: 'setWeight', percent: 50, control: true },
        { kind: 'analysis', require: ['slowRequests'], reject: [] },
        { kind: 'promote' },
      ],
    },
    requestsMax: 18_000,
    nature: (random) =>
      requests(random, 25, () => ({
        live: (arm) => {
          const times = arm === 'stable' ? 1 : 3;
          const median = happens(random, arm === 'candidate' ? tail : 0.02) ? 100 : 5;
          return { tookMs: times * lognormal(random, median, 0.3) };
        },
      })),
  };
}

export const SLOW_COPIES_SAME: World = {
  name: 'slow-copies-same',
  about:
    'The same model; as candidate and as control it is three times as slow as stable was in shadow.',
  claim: 'fair',
  ...slowCopies(0.02),
};

export const SLOW_COPIES_AT_MARGIN: World = {
  name: 'slow-copies-at-margin',
  about:
    'Candidate and control are three times as slow as stable was in shadow, and the candidate has 2.2 times as many slow requests.',
  claim: 'margin',
  ...slowCopies(0.044),
};
