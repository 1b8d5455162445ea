import type { Random } from '../../../src/core/random.ts';
import type { Step } from '../../../src/core/rollout.ts';
import type { Arm } from '../../../src/core/route.ts';
import type { Answer } from '../answer.ts';
import { happens, spells, wandering } from '../chance.ts';
import { failing, healthy, requests } from '../requests.ts';
import { atHalf, growing } from '../steps.ts';
import type { World } from '../world.ts';

/** `heldMs`: no answer comes before that has passed. */
type Trouble = { readonly fails: number; readonly slower?: number; readonly heldMs?: number };

const FINE: Trouble = { fails: 0.002 };

/** Answers of an arm that may be in trouble at the moment. */
function troubled(
  perSecond: number,
  troubles: (random: Random) => (arm: Arm, nowMs: number) => Trouble,
): World['nature'] {
  return (random) => {
    const troubleOf = troubles(random);
    return requests(random, perSecond, (nowMs) => ({
      live: (arm): Answer => {
        const { fails, slower = 1, heldMs = 0 } = troubleOf(arm, nowMs);
        const answer = happens(random, fails) ? failing(random) : healthy(random);
        return { ...answer, tookMs: answer.tookMs * slower + heldMs };
      },
    }));
  };
}

/** Each arm has spells of its own. */
function ownSpells(
  spell: { readonly everyMs: number; readonly lastMs: number },
  troubleIn: (leftMs: number) => Trouble,
) {
  return (random: Random) => {
    const own = {
      candidate: spells(random, spell),
      control: spells(random, spell),
      stable: spells(random, spell),
      other: () => 0,
    };
    return (arm: Arm, nowMs: number): Trouble => {
      const leftMs = own[arm](nowMs);
      return leftMs > 0 ? troubleIn(leftMs) : FINE;
    };
  };
}

/** An arm that stalls holds all requests until the stall ends, and fails nearly all of them. */
const stalls = (everyMs: number, lastMs: number) =>
  ownSpells({ everyMs, lastMs }, (heldMs) => ({ fails: 0.9, heldMs }));

export const INCIDENTS_SHARED: World = {
  name: 'incidents-shared',
  about: 'For 10 s a minute both versions fail 30 % and take 20 times as long.',
  claim: 'fair',
  rollout: { steps: growing('errors', 'slowRequests') },
  requestsMax: 14_000,
  nature: troubled(60, (random) => {
    const incident = spells(random, { everyMs: 50_000, lastMs: 10_000 });
    return (_, nowMs) => (incident(nowMs) > 0 ? { fails: 0.3, slower: 20 } : FINE);
  }),
};

export const STALLS_LONG: World = {
  name: 'stalls-long',
  about: 'The same model, and each arm by itself stalls for 2 s in 30 s and fails 90 % meanwhile.',
  claim: 'fair',
  rollout: { steps: growing('errors') },
  requestsMax: 14_000,
  nature: troubled(60, stalls(28_000, 2_000)),
};

export const STALLS_FREQUENT: World = {
  name: 'stalls-frequent',
  about: 'The same model, and each arm by itself stalls for 1 s in 5 s and fails 90 % meanwhile.',
  claim: 'fair',
  rollout: { steps: growing('errors') },
  requestsMax: 14_000,
  nature: troubled(60, stalls(4_000, 1_000)),
};

const UNEVEN: readonly Step[] = [
  { kind: 'setWeight', percent: 5, control: true },
  { kind: 'analysis', require: ['errors'], reject: [] },
  { kind: 'promote' },
];

export const STALLS_AT_FIVE_PERCENT: World = {
  name: 'stalls-at-five-percent',
  about: 'Frequent stalls of each arm by itself, 5 % to the candidate beside a control of 5 %.',
  claim: 'fair',
  rollout: { steps: UNEVEN },
  requestsMax: 14_000,
  nature: troubled(60, stalls(4_000, 1_000)),
};

export const STALLS_WITHOUT_CONTROL: World = {
  name: 'stalls-without-control',
  about:
    'Frequent stalls of each arm by itself, 5 % to the candidate and the rest to stable, no control.',
  claim: 'liar',
  rollout: { steps: UNEVEN.map((step) => ({ ...step, control: false }) as Step) },
  requestsMax: 14_000,
  nature: troubled(60, stalls(4_000, 1_000)),
};

export const BURSTS_FAST: World = {
  name: 'bursts-without-overlap',
  about:
    'The same model, and each arm by itself fails 90 % at once for 2 s in 30 s: nothing overlaps, so no event covers another.',
  claim: 'liar',
  rollout: { steps: atHalf('errors') },
  requestsMax: 14_000,
  nature: troubled(
    60,
    ownSpells({ everyMs: 28_000, lastMs: 2_000 }, () => ({ fails: 0.9 })),
  ),
};

const BATCH_MS = 40;

export const BATCHES_FAIL_AT_MARGIN: World = {
  name: 'batches-fail-at-margin',
  about:
    'Requests run in batches of about eight, and each batch fails as a whole or not at all; at the margin.',
  claim: 'margin',
  rollout: { steps: atHalf('errors') },
  requestsMax: 16_000,
  nature: (random) => {
    const batches = new Map<Arm, { endsMs: number; fails: boolean }>();
    return requests(random, 400, (nowMs) => ({
      live: (arm) => {
        let batch = batches.get(arm);
        if (batch === undefined || nowMs >= batch.endsMs) {
          const fails = happens(random, arm === 'candidate' ? 0.012 : 0.005);
          batch = { endsMs: nowMs + BATCH_MS, fails };
          batches.set(arm, batch);
        }
        const tookMs = batch.endsMs - nowMs;
        return batch.fails ? { tookMs, failure: 'runtime_failed' } : { tookMs };
      },
    }));
  },
};

export const ERRORS_WANDER: World = {
  name: 'errors-wander',
  about: "The same model, and each arm's errors wander about 0.4 % for half a minute, by itself.",
  claim: 'fair',
  rollout: { steps: atHalf('errors') },
  requestsMax: 14_000,
  nature: troubled(100, (random) => {
    const noise = { candidate: wandering(random, 30_000), reference: wandering(random, 30_000) };
    return (arm, nowMs) => {
      const own = arm === 'candidate' ? noise.candidate : noise.reference;
      return { fails: 0.004 * Math.exp(0.5 * own(nowMs)), slower: 1 };
    };
  }),
};

export const THREE_MODELS: World = {
  name: 'three-models',
  about:
    'Rollouts of two other models on the machine slow both arms and make them fail, each arm a little more or less.',
  claim: 'fair',
  rollout: { steps: growing('errors', 'slowRequests') },
  requestsMax: 14_000,
  nature: troubled(60, (random) => {
    const neighbours = [20_000, 45_000].map((everyMs) =>
      spells(random, { everyMs, lastMs: 8_000 }),
    );
    return (_, nowMs) => {
      const busy = neighbours.filter((neighbour) => neighbour(nowMs) > 0).length;
      return { fails: 0.002 + 0.01 * busy, slower: 1 + busy * (1 + 2 * random.unit()) };
    };
  }),
};
