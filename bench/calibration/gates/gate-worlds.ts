import type { Random } from '../../../src/core/random.ts';
import type { Arm } from '../../../src/core/route.ts';
import { type Answer, CLASSES, scores } from '../answer.ts';
import { happens, lognormal, spells, wandering } from '../chance.ts';
import { requests } from '../requests.ts';
import type { Claim, World } from '../world.ts';

const PER_SECOND = 50;
/** Forty minutes: longer than any of the gates takes. */
const REQUESTS_MAX = 120_000;

/** The shares that an arm fails, answers wrongly and answers with NaN at a moment, and how many times the usual time it takes. */
type State = {
  readonly fails: number;
  readonly wrong?: number;
  readonly nan?: number;
  readonly slower?: number;
};

type Side = 'candidate' | 'reference';

const NAN = [scores(Array.from({ length: CLASSES }, () => Number.NaN))];

/** In these worlds a healthy answer takes 30 ms, its p99 is 60 ms. */
function answer(random: Random, { fails, wrong = 0, nan = 0, slower = 1 }: State): Answer {
  const tookMs = lognormal(random, 30, 0.3) * slower;
  if (happens(random, fails)) return { tookMs, failure: 'runtime_failed' };
  if (happens(random, nan)) return { tookMs, outputs: NAN };
  return { tookMs, class: happens(random, wrong) ? 1 : 0 };
}

function nature(
  states: (random: Random) => (side: Side, nowMs: number) => State,
  { perSecond = PER_SECOND, labels = false } = {},
): World['nature'] {
  return (random) => {
    const stateOf = states(random);
    const of = (side: Side, nowMs: number): Answer => answer(random, stateOf(side, nowMs));
    return requests(random, perSecond, (nowMs) => ({
      live: (arm: Arm) => of(arm === 'candidate' ? 'candidate' : 'reference', nowMs),
      // The right class is known whichever the versions name: nothing but chance makes both wrong at once.
      shadow: () => ({ candidate: of('candidate', nowMs), twin: of('reference', nowMs) }),
      ...(labels ? { label: () => ({ class: 0, afterMs: 2_000 }) } : {}),
    }));
  };
}

function world(
  name: string,
  about: string,
  given: {
    claim: Claim;
    nature: World['nature'];
    rollout?: World['rollout'];
    requestsMax?: number;
  },
): World {
  const labels = { windowMs: 5_000, selection: 'random' } as const;
  return { name, about, rollout: {}, labels, requestsMax: REQUESTS_MAX, ...given };
}

const steady = (candidate: State, reference: State) => () => (side: Side) =>
  side === 'candidate' ? candidate : reference;

const HEALTHY: State = { fails: 0.001 };

/** The same worlds for every gate. In each the candidate is as it is from the first request, unless the row says otherwise. */
export const GATE_WORLDS: readonly World[] = [
  world('healthy', 'The same model, 0.1 % of errors, 50 requests a second.', {
    claim: 'fair',
    nature: nature(steady(HEALTHY, HEALTHY)),
  }),
  world('healthy, 5 a second', 'The same at 5 requests a second.', {
    claim: 'fair',
    requestsMax: 20_000,
    nature: nature(steady(HEALTHY, HEALTHY), { perSecond: 5 }),
  }),
  world(
    'shared incidents',
    'For 20 s in 5 minutes both versions fail 30 % and take 5 times as long.',
    {
      claim: 'fair',
      nature: nature((random) => {
        const incident = spells(random, { everyMs: 280_000, lastMs: 20_000 });
        return (_, nowMs) => (incident(nowMs) > 0 ? { fails: 0.3, slower: 5 } : HEALTHY);
      }),
    },
  ),
  world('base drifts', 'Errors of both versions rise from 0.1 % to 2 % within half an hour.', {
    claim: 'fair',
    nature: nature(() => (_, nowMs) => ({ fails: 0.001 + 0.019 * Math.min(1, nowMs / 1_800_000) })),
  }),
  world('latency wanders', "Each arm's latency wanders by a fifth for two minutes, by itself.", {
    claim: 'fair',
    nature: nature((random) => {
      const noise = {
        candidate: wandering(random, 120_000),
        reference: wandering(random, 120_000),
      };
      return (side, nowMs) => ({ ...HEALTHY, slower: Math.exp(0.2 * noise[side](nowMs)) });
    }),
  }),
  world(
    'errors wander',
    "Each arm's errors wander between 0.05 and 0.8 % for two minutes, by itself.",
    {
      claim: 'fair',
      nature: nature((random) => {
        const noise = {
          candidate: wandering(random, 120_000),
          reference: wandering(random, 120_000),
        };
        return (side, nowMs) => ({ fails: 0.002 * Math.exp(0.7 * noise[side](nowMs)) });
      }),
    },
  ),
  world('errors .1 to .8 %', 'The candidate fails 0.8 %, stable 0.1 %.', {
    claim: 'worse',
    nature: nature(steady({ fails: 0.008 }, HEALTHY)),
  }),
  world('3 times the errors', 'The candidate fails 1.5 %, stable 0.5 %.', {
    claim: 'worse',
    nature: nature(steady({ fails: 0.015 }, { fails: 0.005 })),
  }),
  world('5 times the errors', 'The candidate fails 2.5 %, stable 0.5 %.', {
    claim: 'worse',
    nature: nature(steady({ fails: 0.025 }, { fails: 0.005 })),
  }),
  world('latency x 2', 'The candidate takes twice as long.', {
    claim: 'worse',
    nature: nature(steady({ ...HEALTHY, slower: 2 }, HEALTHY)),
  }),
  world('latency x 1.3', 'The candidate takes 1.3 times as long.', {
    claim: 'worse',
    nature: nature(steady({ ...HEALTHY, slower: 1.3 }, HEALTHY)),
  }),
  world(
    'slow leak',
    'The candidate begins as good as stable and fails another 0.15 % with each minute.',
    {
      claim: 'worse',
      nature: nature(
        () => (side, nowMs) =>
          side === 'candidate' ? { fails: 0.001 + (0.0015 * nowMs) / 60_000 } : HEALTHY,
      ),
    },
  ),
  world('NaN on 0.4 %', 'The candidate answers NaN to 0.4 % of the requests.', {
    claim: 'worse',
    nature: nature(steady({ ...HEALTHY, nan: 0.004 }, HEALTHY)),
  }),
  world(
    'accuracy - 5 points',
    'The candidate is wrong in 10 % of its answers, stable in 5 %; labels come after 2 s.',
    {
      claim: 'worse',
      rollout: { intent: 'improve' },
      nature: nature(steady({ ...HEALTHY, wrong: 0.1 }, { ...HEALTHY, wrong: 0.05 }), {
        labels: true,
      }),
    },
  ),
];
