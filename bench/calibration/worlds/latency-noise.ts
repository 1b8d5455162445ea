import type { Random } from '../../../src/core/random.ts';
import type { Arm } from '../../../src/core/route.ts';
import { happens, lognormal, spells, wandering } from '../chance.ts';
import { requests } from '../requests.ts';
import { atHalf, inShadowRejecting } from '../steps.ts';
import type { World } from '../world.ts';

/** Little noise in the answers, so that latency is looked at for as long as the world lasts. */
function differing(random: Random, share: number): number {
  return happens(random, share) ? 1 : 0;
}

/** The candidate is slower in a fifth of the pairs, and those come in rows of so many. */
function stallsOf(pairsInRow: number): World {
  return {
    name: `paired-latency-stalls-of-${pairsInRow}`,
    about: `The candidate is slower in 20 % of the pairs, ${pairsInRow} in a row.`,
    claim: 'fair',
    rollout: { steps: inShadowRejecting(['disagreement'], 'pairedLatency') },
    requestsMax: 8_000,
    nature: (random) => {
      let [stalled, left] = [false, 0];
      return requests(random, 50, () => ({
        shadow: () => {
          if (left === 0) {
            stalled = happens(random, 0.2);
            left = pairsInRow;
          }
          left -= 1;
          const candidate = { tookMs: stalled ? 40 : 4, class: differing(random, 0.06) };
          return { candidate, twin: { tookMs: 4, class: differing(random, 0.05) } };
        },
      }));
    },
  };
}

export const PAIRED_LATENCY_STALLS = [5, 20, 100].map(stallsOf);

export const PAIRED_LATENCY_WANDERS: World = {
  name: 'paired-latency-wanders',
  about:
    'Both are the same model, and the latency of each wanders by half for a minute, by itself.',
  claim: 'fair',
  rollout: { steps: inShadowRejecting(['disagreement'], 'pairedLatency') },
  requestsMax: 15_000,
  nature: (random) => {
    const [mine, theirs] = [wandering(random, 60_000), wandering(random, 60_000)];
    return requests(random, 25, (nowMs) => ({
      shadow: () => ({
        candidate: { tookMs: 4 * Math.exp(0.5 * mine(nowMs)), class: differing(random, 0.06) },
        twin: { tookMs: 4 * Math.exp(0.5 * theirs(nowMs)), class: differing(random, 0.05) },
      }),
    }));
  },
};

/** Live latency of each arm: a steady median, times what `factor` says of the arm at the moment. */
function liveLatency(
  perSecond: number,
  factors: (random: Random) => (arm: Arm, nowMs: number) => number,
): World['nature'] {
  return (random) => {
    const factor = factors(random);
    return requests(random, perSecond, (nowMs) => ({
      live: (arm) => ({ tookMs: lognormal(random, 5, 0.3) * factor(arm, nowMs) }),
    }));
  };
}

export const SLOW_SAME: World = {
  name: 'slow-same',
  about: 'Both versions have the same latency.',
  claim: 'fair',
  rollout: { steps: atHalf('slowRequests') },
  requestsMax: 15_000,
  nature: liveLatency(100, () => () => 1),
};

export const SLOW_WANDERS: World = {
  name: 'slow-wanders',
  about:
    'The same model twice, and the latency of each arm wanders by a third for a minute, by itself.',
  claim: 'fair',
  rollout: { steps: atHalf('slowRequests') },
  requestsMax: 16_000,
  nature: liveLatency(50, (random) => {
    const noise = { candidate: wandering(random, 60_000), reference: wandering(random, 60_000) };
    return (arm, nowMs) =>
      Math.exp(0.33 * (arm === 'candidate' ? noise.candidate(nowMs) : noise.reference(nowMs)));
  }),
};

export const SLOW_PAUSES: World = {
  name: 'slow-pauses',
  about:
    'The same model twice, and each arm pauses by itself for 2 s in 30 s (collection of garbage, say).',
  claim: 'fair',
  rollout: { steps: atHalf('slowRequests') },
  requestsMax: 16_000,
  nature: liveLatency(50, (random) => {
    const pause = { everyMs: 28_000, lastMs: 2_000 };
    const paused = { candidate: spells(random, pause), reference: spells(random, pause) };
    return (arm, nowMs) => {
      const leftMs = arm === 'candidate' ? paused.candidate(nowMs) : paused.reference(nowMs);
      return leftMs > 0 ? 20 : 1;
    };
  }),
};

export const SLOW_DOUBLED: World = {
  name: 'slow-doubled',
  about: 'Every request takes twice as long with the candidate.',
  claim: 'worse',
  rollout: { steps: atHalf('slowRequests') },
  requestsMax: 15_000,
  nature: liveLatency(100, () => (arm) => (arm === 'candidate' ? 2 : 1)),
};
