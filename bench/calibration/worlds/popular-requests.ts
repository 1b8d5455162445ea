import type { Random } from '../../../src/core/random.ts';
import { happens, pick } from '../chance.ts';
import { requests } from '../requests.ts';
import { inShadow } from '../steps.ts';
import type { World } from '../world.ts';

const CONTENTS = 3_000;
/** A tenth of the requests has a third of the traffic, as with images of a shop or phrases of a search. */
const POPULARITY = Array.from({ length: 300 }, (_, rank) => 1 / (rank + 5));

/** Which requests a version gets wrong is fixed: the same bytes have the same answer, however often they come. */
function wrongSet(random: Random, share: number): ReadonlySet<number> {
  const all = Array.from({ length: CONTENTS }, (_, content) => content);
  return new Set(all.filter(() => happens(random, share)));
}

function popular(candidate: number, twin: number): World['nature'] {
  return (random) => {
    const [mine, theirs] = [wrongSet(random, candidate), wrongSet(random, twin)];
    return requests(random, 50, () => {
      const content = 10 * pick(random, POPULARITY) + random.integer(10);
      return {
        content: `${content}`,
        shadow: () => ({
          candidate: { tookMs: 4, class: mine.has(content) ? 1 : 0 },
          twin: { tookMs: 4, class: theirs.has(content) ? 1 : 0 },
        }),
      };
    });
  };
}

export const POPULAR_AT_MARGIN: World = {
  name: 'popular-requests-at-margin',
  about:
    'Requests come from 3,000 contents, some far more often; the candidate differs on 6 % of the contents, stable from itself on 5 %.',
  claim: 'margin',
  rollout: { steps: inShadow('disagreement') },
  requestsMax: 12_000,
  nature: popular(0.06, 0.05),
};

export const POPULAR_SAME: World = {
  ...POPULAR_AT_MARGIN,
  name: 'popular-requests-same',
  about:
    'Requests come from 3,000 contents, some far more often; each version differs on 5 % of them.',
  claim: 'fair',
  nature: popular(0.05, 0.05),
};

export const POPULAR_RESTARTS: World = {
  ...POPULAR_SAME,
  name: 'popular-requests-restarts',
  about:
    'The same contents, each version differs on 5 % of them, and the gateway restarts after every 1,500 requests.',
  restartEvery: 1_500,
};
