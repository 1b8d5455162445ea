import { labelled } from '../steps.ts';
import type { World } from '../world.ts';
import { labelling } from './labels.ts';

/** Ten trials of the same weights, each with a little traffic. */
export const ATTEMPTS_AT_MARGIN: World = {
  name: 'attempts-at-margin',
  about:
    'The same candidate is tried ten times, each time for 4,000 labels; it is wrong 2 points more often.',
  claim: 'worse',
  rollout: {
    intent: 'improve',
    steps: labelled(),
    maxDuration: 80_000,
  },
  labels: { windowMs: 1_000, selection: 'random' },
  attempts: 10,
  requestsMax: 42_000,
  nature: labelling({ stable: 0.05, candidate: 0.07, label: () => 100 }),
};
