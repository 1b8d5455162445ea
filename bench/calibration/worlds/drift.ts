import type { Random } from '../../../src/core/random.ts';
import type { Arm } from '../../../src/core/route.ts';
import { exponential, happens } from '../chance.ts';
import { failing, healthy, requests } from '../requests.ts';
import { atHalf, growing, labelled } from '../steps.ts';
import type { Nature, World } from '../world.ts';

type RateAt = (arm: Arm, nowMs: number) => number;

function failingBy(perSecond: number, rateAt: RateAt): World['nature'] {
  return (random) =>
    requests(random, perSecond, (nowMs) => ({
      live: (arm) => (happens(random, rateAt(arm, nowMs)) ? failing(random) : healthy(random)),
    }));
}

const atMargin = (reference: number): number => 2 * reference + 0.002;

/** The candidate is at the margin of what the reference does at the moment. */
function marginOf(baseAt: (nowMs: number) => number): RateAt {
  return (arm, nowMs) => (arm === 'candidate' ? atMargin(baseAt(nowMs)) : baseAt(nowMs));
}

const ERRORS = { steps: atHalf('errors') };
const MINUTE = 60_000;

export const DRIFT_SAME: World = {
  name: 'drift-same',
  about: 'Errors of both versions rise and fall between 0.2 and 10 % within ten minutes.',
  claim: 'fair',
  rollout: { steps: growing('errors') },
  requestsMax: 20_000,
  nature: failingBy(
    50,
    (_, nowMs) => 0.051 + 0.049 * Math.sin((2 * Math.PI * nowMs) / (10 * MINUTE)),
  ),
};

/** A quarter of the time is busy. */
const isBusy = (nowMs: number): boolean => nowMs % (4 * MINUTE) >= 3 * MINUTE;

export const DRIFT_QUIET_AND_BUSY: readonly World[] = [0.01, 0.05].map((busy) => ({
  name: `drift-quiet-and-busy-${100 * busy}`,
  about: `Stable fails 0.05 % for three minutes and ${100 * busy} % in the fourth; the candidate is at the margin at every moment.`,
  claim: 'margin',
  rollout: ERRORS,
  requestsMax: 16_000,
  nature: failingBy(
    50,
    marginOf((nowMs) => (isBusy(nowMs) ? busy : 0.0005)),
  ),
}));

export const DRIFT_UP: World = {
  name: 'drift-up',
  about:
    'Errors of both versions grow from 0 to 3 % within ten minutes; at the margin at every moment.',
  claim: 'margin',
  rollout: ERRORS,
  requestsMax: 16_000,
  nature: failingBy(
    50,
    marginOf((nowMs) => 0.03 * Math.min(1, nowMs / (10 * MINUTE))),
  ),
};

export const DRIFT_OF_TRAFFIC: World = {
  name: 'drift-of-traffic',
  about:
    'Traffic is ten times as dense for a minute in four, and errors four times as frequent then; at the margin.',
  claim: 'margin',
  rollout: ERRORS,
  requestsMax: 16_000,
  nature: (random) => {
    const rateAt = marginOf((nowMs) => (isBusy(nowMs) ? 0.01 : 0.0025));
    const { next } = failingBy(1, rateAt)(random);
    return {
      next: (nowMs) => ({
        ...next(nowMs),
        gapMs: exponential(random, 1000 / (isBusy(nowMs) ? 200 : 20)),
      }),
    } satisfies Nature;
  },
};

export const LEAK_AFTER_THE_PROOF: World = {
  name: 'leak-after-the-proof',
  about:
    'The candidate is as good as stable for the first 5,000 requests and fails 5 % from then on.',
  claim: 'liar',
  rollout: ERRORS,
  requestsMax: 16_000,
  nature: failingBy(50, (arm, nowMs) => (arm === 'candidate' && nowMs > 100_000 ? 0.05 : 0.001)),
};

/** Failed requests are repeated immediately, up to three times, and drawn again. */
function retried(rateAt: RateAt): World['nature'] {
  return (random: Random) => {
    const { next } = failingBy(50, rateAt)(random);
    let retries: number[] = [];
    return {
      next: (nowMs) => {
        const left = retries.shift();
        const request = next(nowMs);
        const isRetry = left !== undefined;
        return {
          ...request,
          gapMs: isRetry ? 10 : request.gapMs,
          live: (arm) => {
            const answer = request.live(arm);
            const more = isRetry ? left - 1 : 3;
            if (answer.failure !== undefined && more > 0) retries = [...retries, more];
            return answer;
          },
        };
      },
    };
  };
}

export const RETRIED_AT_MARGIN: World = {
  name: 'retried-at-margin',
  about: 'Requests that fail are sent again at once, up to three times; at the margin.',
  claim: 'margin',
  rollout: ERRORS,
  requestsMax: 20_000,
  nature: retried(marginOf(() => 0.01)),
};

export const RETRIED_STORM: World = {
  name: 'retried-storm',
  about:
    'For 10 s a minute half of all requests fail and are sent again; the versions are the same.',
  claim: 'fair',
  rollout: ERRORS,
  requestsMax: 20_000,
  nature: retried((_, nowMs) => (nowMs % MINUTE < 10_000 ? 0.5 : 0.002)),
};

export const CALLERS_HANG_UP: World = {
  name: 'callers-hang-up',
  about:
    'A tenth of the callers hang up early, and a fiftieth send what no version takes; the versions are the same.',
  claim: 'fair',
  rollout: { steps: atHalf('errors', 'slowRequests') },
  requestsMax: 15_000,
  nature: (random) =>
    requests(random, 50, () => ({
      live: () => {
        const answer = healthy(random);
        const place = random.unit();
        if (place < 0.1) return { tookMs: answer.tookMs * random.unit(), failure: 'cancelled' };
        if (place < 0.12) return { tookMs: 1, failure: 'invalid_input' };
        return place < 0.125 ? failing(random) : answer;
      },
    })),
};

export const LABELS_DRIFT: World = {
  name: 'labels-drift-at-margin',
  about:
    'Tasks become harder and easier within ten minutes; the candidate is wrong 2 points more often at every moment.',
  claim: 'margin',
  rollout: { intent: 'improve', steps: labelled() },
  labels: { windowMs: 1_000, selection: 'random' },
  requestsMax: 8_000,
  nature: (random) =>
    requests(random, 20, (nowMs) => {
      const wrong = 0.11 + 0.09 * Math.sin((2 * Math.PI * nowMs) / (10 * MINUTE));
      const stable = { tookMs: 4, class: happens(random, wrong) ? 1 : 0 };
      const candidate = { tookMs: 4, class: happens(random, wrong + 0.02) ? 2 : 0 };
      return {
        live: () => stable,
        shadow: () => ({ candidate, twin: stable }),
        label: () => ({ class: 0, afterMs: 500 }),
      };
    }),
};

export const LABELS_OF_NEITHER: World = {
  name: 'labels-of-neither',
  about: 'Labels match neither version: a caller sends those of another model.',
  claim: 'fair',
  rollout: { intent: 'improve', steps: labelled() },
  labels: { windowMs: 1_000, selection: 'random' },
  requestsMax: 5_000,
  nature: (random) =>
    requests(random, 50, () => ({
      label: () => ({ class: 3, afterMs: 500 }),
    })),
};

export const NO_TRAFFIC: World = {
  name: 'no-traffic',
  about: 'A request a minute comes, and the candidate fails a tenth of its own.',
  claim: 'worse',
  rollout: ERRORS,
  requestsMax: 120,
  lookEveryMs: 30_000,
  nature: failingBy(1 / 60, (arm) => (arm === 'candidate' ? 0.1 : 0)),
};
