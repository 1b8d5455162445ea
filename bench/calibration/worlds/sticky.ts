import type { Random } from '../../../src/core/random.ts';
import type { Arm } from '../../../src/core/route.ts';
import { happens, pick } from '../chance.ts';
import { failing, healthy, requests } from '../requests.ts';
import { atHalf } from '../steps.ts';
import type { World } from '../world.ts';

type Users = {
  /** Users who are there at one time. */
  readonly count: number;
  /** Requests after which a user leaves for good and another comes; absent: they all stay. */
  readonly stays?: number;
  readonly perSecond?: number;
  /** Whose request comes next; even where absent. */
  readonly who?: (random: Random, nowMs: number) => number;
  /** The share of this user's requests that an arm fails. */
  readonly rate: (user: number, arm: Arm) => number;
};

/** Users who return. Each stays with the arm that it was drawn to. */
export function users(setting: Users): World['nature'] {
  const { count, stays = Number.POSITIVE_INFINITY, perSecond = 200, who, rate } = setting;
  return (random) => {
    const present = Array.from({ length: count }, (_, user) => ({ user, left: stays }));
    let next = count;
    return requests(random, perSecond, (nowMs) => {
      const at = who?.(random, nowMs) ?? random.integer(count);
      const { user, left } = present[at] ?? { user: at, left: stays };
      present[at] = left > 1 ? { user, left: left - 1 } : { user: next, left: stays };
      if (left <= 1) next += 1;
      return {
        unit: `user ${user}`,
        live: (arm) => (happens(random, rate(user, arm)) ? failing(random) : healthy(random)),
      };
    });
  };
}

const atMargin = (reference: number): number => 2 * reference + 0.002;

function marginOf(referenceOf: (user: number) => number) {
  return (user: number, arm: Arm): number =>
    arm === 'candidate' ? atMargin(referenceOf(user)) : referenceOf(user);
}

const ERRORS = { steps: atHalf('errors') };

export const STICKY_AT_MARGIN: World = {
  name: 'sticky-at-margin',
  about: 'Users send 15 requests each and leave; each of them meets errors at exactly the margin.',
  claim: 'margin',
  rollout: ERRORS,
  requestsMax: 20_000,
  nature: users({ count: 200, stays: 15, rate: marginOf(() => 0.005) }),
};

export const STICKY_MANY_REQUESTS: World = {
  name: 'sticky-many-requests-at-margin',
  about: 'Users send 100 requests each and leave; each of them meets errors at exactly the margin.',
  claim: 'margin',
  rollout: ERRORS,
  requestsMax: 20_000,
  nature: users({ count: 50, stays: 100, rate: marginOf(() => 0.005) }),
};

export const STICKY_UNLIKE_AT_MARGIN: World = {
  name: 'sticky-unlike-users-at-margin',
  about:
    'One user in ten meets a hundred times as many errors as the others; at the margin for each.',
  claim: 'margin',
  rollout: ERRORS,
  requestsMax: 20_000,
  nature: users({
    count: 200,
    stays: 15,
    rate: marginOf((user) => (user % 10 === 0 ? 0.02 : 0.0002)),
  }),
};

export const STICKY_UNLIKE_SAME: World = {
  name: 'sticky-unlike-users-same',
  about: 'One user in ten meets a hundred times as many errors as the others, with both versions.',
  claim: 'fair',
  rollout: ERRORS,
  requestsMax: 20_000,
  nature: users({
    count: 200,
    stays: 15,
    rate: (user) => (user % 10 === 0 ? 0.02 : 0.0002),
  }),
};

export const STICKY_HEAVY_CLIENT: World = {
  name: 'sticky-heavy-client',
  about:
    'One client sends half of all requests and fails 10 % of them by itself; the versions are the same.',
  claim: 'fair',
  rollout: ERRORS,
  requestsMax: 20_000,
  nature: users({
    count: 10_000,
    who: (random) => (happens(random, 0.5) ? 0 : 1 + random.integer(9_999)),
    rate: (user) => (user === 0 ? 0.1 : 0.005),
  }),
};

const ZIPF = Array.from({ length: 300 }, (_, rank) => 1 / (rank + 1));

export const STICKY_HEAVY_TAIL_AT_MARGIN: World = {
  name: 'sticky-heavy-tail-at-margin',
  about:
    'Few of 3,000 users send most requests (shares as 1, 1/2, 1/3...); at the margin for each.',
  claim: 'margin',
  rollout: ERRORS,
  requestsMax: 16_000,
  nature: users({
    count: 3_000,
    who: (random) => 10 * pick(random, ZIPF) + random.integer(10),
    rate: marginOf((user) => (user % 7 === 0 ? 0.02 : 0.002)),
  }),
};

export const STICKY_RESTARTS: World = {
  name: 'sticky-restarts-at-margin',
  about:
    'The gateway restarts after every 2,500 requests; users send 15 and leave; at the margin for each.',
  claim: 'margin',
  rollout: ERRORS,
  requestsMax: 20_000,
  restartEvery: 2_500,
  nature: users({ count: 200, stays: 15, rate: marginOf(() => 0.005) }),
};

export const STICKY_HOUSEHOLDS_SAME: World = {
  name: 'sticky-clusters-same',
  about:
    'Users come in clusters of 20 that fail together for a while, whichever version they meet.',
  claim: 'fair',
  rollout: ERRORS,
  requestsMax: 16_000,
  nature: (random) => {
    const badUntil = new Map<number, number>();
    return requests(random, 200, (nowMs) => {
      const user = random.integer(4_000);
      const cluster = Math.floor(user / 20);
      if (happens(random, 0.002)) badUntil.set(cluster, nowMs + 20_000);
      const isBad = (badUntil.get(cluster) ?? 0) > nowMs;
      return {
        unit: `user ${user}`,
        live: () => (happens(random, isBad ? 0.3 : 0.001) ? failing(random) : healthy(random)),
      };
    });
  },
};
