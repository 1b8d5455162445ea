import type { RolloutSection } from '../../../src/config/rollout-section.ts';
import { happens } from '../chance.ts';
import { failing, healthy, requests } from '../requests.ts';
import type { World } from '../world.ts';
import { users } from './sticky.ts';

const MINUTE_MS = 60_000;

/** A short trial on half of the traffic, then as much as that compared in a holdback of five minutes. */
const HELD_BACK: RolloutSection = {
  steps: [
    { kind: 'setWeight', percent: 50, control: true },
    { kind: 'analysis', require: ['errors'], reject: ['slowRequests'] },
    { kind: 'promote', holdback: { percent: 40, durationMs: 5 * MINUTE_MS } },
  ],
};

/** By when nearly every trial of a healthy candidate has promoted it. */
const PROMOTED_MS = 2 * MINUTE_MS;

const REFERENCE_RATE = 0.002;

/** Both versions fail at one rate, and the candidate at another from a moment on. */
function turning(rate: number, fromMs: number): World['nature'] {
  return (random) =>
    requests(random, 100, (nowMs) => ({
      live: (arm) => {
        const isTurned = arm === 'candidate' && nowMs >= fromMs;
        return happens(random, isTurned ? rate : REFERENCE_RATE)
          ? failing(random)
          : healthy(random);
      },
    }));
}

const HOLDBACK: Pick<World, 'rollout' | 'requestsMax'> = {
  rollout: HELD_BACK,
  requestsMax: 60_000,
};

export const HOLDBACKS: readonly World[] = [
  {
    ...HOLDBACK,
    name: 'holdback-same',
    about: 'Both versions fail 0.2 % of the requests, in the trial and in its holdback.',
    claim: 'fair',
    nature: turning(REFERENCE_RATE, 0),
  },
  {
    ...HOLDBACK,
    name: 'holdback-at-margin',
    about: 'As good as stable until it is promoted, then exactly at the margin.',
    claim: 'fair',
    nature: turning(2 * REFERENCE_RATE + 0.002, PROMOTED_MS),
  },
  {
    ...HOLDBACK,
    name: 'holdback-turns-worse',
    about: 'As good as stable until it is promoted, then it fails 5 % of the requests.',
    claim: 'worse',
    nature: turning(0.05, PROMOTED_MS),
  },
  {
    ...HOLDBACK,
    name: 'holdback-turns-worse-late',
    about: 'As good as stable for four minutes, most of them in its holdback, then it fails 5 %.',
    claim: 'worse',
    nature: turning(0.05, 4 * MINUTE_MS),
  },
];

/** Promoted in shadow, while both arms answered half of the users each. */
export const HOLDBACK_STICKY: World = {
  ...HOLDBACK,
  name: 'holdback-sticky-unlike-users',
  about:
    'The same 2,000 users all along, of whom a tenth meets 5 % errors and the others 0.1 %, in both versions.',
  claim: 'fair',
  rollout: {
    steps: [
      { kind: 'setMirror', percentage: 100, twin: 100 },
      { kind: 'setWeight', percent: 50, control: true },
      { kind: 'analysis', require: ['disagreement'], reject: ['errors'] },
      { kind: 'promote', holdback: { percent: 40, durationMs: 5 * MINUTE_MS } },
    ],
  },
  nature: users({
    count: 2_000,
    perSecond: 100,
    rate: (user) => (user % 10 === 0 ? 0.05 : 0.001),
  }),
};
