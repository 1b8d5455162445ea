import { labelled } from '../steps.ts';
import type { World } from '../world.ts';
import { labelling } from './labels.ts';

const atOnce = (): number => 100;

export const SUPERIOR_SAME: World = {
  name: 'superior-same',
  about:
    'Both versions are wrong in 5 % of the answers; the rollout claims that the candidate is better.',
  claim: 'margin',
  rollout: { intent: 'improve', claim: 'superior', steps: labelled() },
  labels: { windowMs: 1_000, selection: 'random' },
  requestsMax: 8_000,
  nature: labelling({ stable: 0.05, candidate: 0.05, label: atOnce }),
};

export const SUPERIOR_BETTER: World = {
  ...SUPERIOR_SAME,
  name: 'superior-better',
  about:
    'The candidate is wrong 3 points less often than stable, which is in 8 %; the rollout claims that it is better.',
  claim: 'fair',
  nature: labelling({ stable: 0.08, candidate: 0.05, label: atOnce }),
};
