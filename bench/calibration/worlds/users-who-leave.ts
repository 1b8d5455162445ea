import { happens } from '../chance.ts';
import { failing, healthy, requests } from '../requests.ts';
import { atHalf } from '../steps.ts';
import type { World } from '../world.ts';

/** Users come back until an answer fails, then they stay away and others come. */
function leaving(candidate: number, reference: number): World['nature'] {
  return (random) => {
    const users = Array.from({ length: 1_000 }, (_, user) => user);
    let newest = users.length;
    return requests(random, 100, () => {
      const place = random.integer(users.length);
      const user = users[place] ?? 0;
      return {
        unit: `user ${user}`,
        live: (arm) => {
          if (!happens(random, arm === 'candidate' ? candidate : reference)) return healthy(random);
          users[place] = newest;
          newest += 1;
          return failing(random);
        },
      };
    });
  };
}

export const LEAVING_AT_MARGIN: World = {
  name: 'sticky-leaving-at-margin',
  about:
    '1,000 users come back until an answer fails, then another takes the place; at the margin.',
  claim: 'margin',
  rollout: { steps: atHalf('errors') },
  requestsMax: 16_000,
  nature: leaving(2 * 0.005 + 0.002, 0.005),
};

export const LEAVING_SAME: World = {
  ...LEAVING_AT_MARGIN,
  name: 'sticky-leaving-same',
  about:
    '1,000 users come back until an answer fails, then another takes the place; the versions are the same.',
  claim: 'fair',
  nature: leaving(0.01, 0.01),
};
