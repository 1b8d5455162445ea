import type { Random } from '../../../src/core/random.ts';
import type { Arm } from '../../../src/core/route.ts';
import { happens, lognormal, wandering } from '../chance.ts';
import { requests } from '../requests.ts';
import { atHalf, inShadowRejecting } from '../steps.ts';
import type { Claim, World } from '../world.ts';

/** Half-second blocks instead of the default of 5 s, at ten times the traffic: ten minutes take one. */
const BLOCK = 500;
const PER_SECOND = 200;

/** When the candidate changes: 120 blocks are ten minutes at the default. */
const CHANGE_MS = 60_000;

/** No promotion before the change, which would be right by what was seen: other metrics take their time too. */
const PROVEN_AFTER_MS = CHANGE_MS + 5_000;

/** How many times as long as usual a request of the arm takes at the moment. */
type Slowness = (random: Random) => (arm: Arm, nowMs: number) => number;

type Story = {
  readonly name: string;
  readonly about: string;
  readonly claim: Claim;
  readonly slowness: Slowness;
  readonly leastMs?: number;
};

function world({ slowness, leastMs = PROVEN_AFTER_MS, ...story }: Story): World {
  return {
    ...story,
    rollout: {
      steps: atHalf('slowRequests'),
      minDuration: leastMs,
      margins: { slowRequests: { blockMs: BLOCK } },
    },
    requestsMax: 40_000,
    lookEveryMs: 500,
    nature: (random) => {
      const factor = slowness(random);
      return requests(random, PER_SECOND, (nowMs) => ({
        live: (arm) => ({ tookMs: lognormal(random, 5, 0.3) * factor(arm, nowMs) }),
      }));
    },
  };
}

/** Of the candidate's requests this share takes five times as long. */
const slowFor =
  (shareAt: (nowMs: number) => number): Slowness =>
  (random) =>
  (arm, nowMs) =>
    arm === 'candidate' && happens(random, shareAt(nowMs)) ? 5 : 1;

const sinceChange = (share: number): Slowness =>
  slowFor((nowMs) => (nowMs < CHANGE_MS ? 0 : share));

export const LATE_SLOW: readonly World[] = [
  world({
    name: 'late-slow-fifth',
    about: "A fifth of the candidate's requests becomes slow after 120 healthy blocks.",
    claim: 'worse',
    slowness: sinceChange(0.2),
  }),
  world({
    name: 'late-slow-half',
    about: "Half of the candidate's requests becomes slow after 120 healthy blocks.",
    claim: 'worse',
    slowness: sinceChange(0.5),
  }),
  world({
    name: 'late-slow-doubled',
    about: 'Every request of the candidate takes twice as long after 120 healthy blocks.',
    claim: 'worse',
    slowness: () => (arm, nowMs) => (arm === 'candidate' && nowMs >= CHANGE_MS ? 2 : 1),
  }),
  world({
    name: 'late-slow-ramp',
    about: "More and more of the candidate's requests become slow, up to a fifth over 240 blocks.",
    claim: 'worse',
    slowness: slowFor((nowMs) => 0.2 * Math.min(1, Math.max(0, (nowMs - 20_000) / 120_000))),
  }),
];

export const LATE_SLOW_BOTH: World = world({
  name: 'late-slow-both',
  about: 'The same model twice; both take twice as long after 120 blocks, as under more load.',
  claim: 'fair',
  slowness: () => (_, nowMs) => (nowMs >= CHANGE_MS ? 2 : 1),
});

export const SLOW_REFERENCE_WANDERS: World = world({
  name: 'slow-reference-wanders',
  about: 'The same model twice, and the latency of the reference alone wanders for 12 blocks.',
  claim: 'fair',
  leastMs: 1_000,
  slowness: (random) => {
    const noise = wandering(random, 12 * BLOCK);
    return (arm, nowMs) => (arm === 'candidate' ? 1 : Math.exp(0.33 * noise(nowMs)));
  },
});

/** Both versions are quick for a minute, which sets the threshold; then the reference is slow in a fifth of its requests. */
const slowReference =
  (candidate: number): Slowness =>
  (random) =>
  (arm, nowMs) =>
    nowMs >= CHANGE_MS && happens(random, arm === 'candidate' ? candidate : 0.2) ? 5 : 1;

export const SLOW_REFERENCE: readonly World[] = [
  world({
    name: 'slow-reference-same',
    about: 'After 120 quick blocks a fifth of the requests of both versions becomes slow.',
    claim: 'fair',
    slowness: slowReference(0.2),
  }),
  world({
    name: 'slow-reference-worse',
    about:
      "After 120 quick blocks a fifth of the reference's requests becomes slow, and 60 % of the candidate's.",
    claim: 'worse',
    slowness: slowReference(0.6),
  }),
];

export const PAIRED_LATENCY_LATE: World = {
  name: 'paired-latency-late',
  about: "The candidate's runs take twice as long after 60 healthy blocks in shadow.",
  claim: 'worse',
  rollout: {
    steps: inShadowRejecting(['disagreement'], 'pairedLatency'),
    margins: { pairedLatency: { blockMs: 1_000 } },
  },
  requestsMax: 10_000,
  nature: (random) =>
    requests(random, 50, (nowMs) => ({
      // Answers differ more often than the margin lets be shown, so that shadow lasts.
      shadow: () => ({
        candidate: {
          tookMs: lognormal(random, nowMs < CHANGE_MS ? 4 : 8, 0.3),
          class: Number(happens(random, 0.06)),
        },
        twin: { tookMs: lognormal(random, 4, 0.3), class: Number(happens(random, 0.05)) },
      }),
    })),
};
