import { labelled } from '../steps.ts';
import type { World } from '../world.ts';
import { labelling } from './labels.ts';

const atOnce = (): number => 100;

/** The second of two promotions, each of which loses nine tenths of a margin. */
export const ANCHOR_CREEP: World = {
  name: 'anchor-creep',
  about:
    'The candidate is wrong 1.8 points more often than stable, which is within the margin, and 3.6 points more often than the anchor.',
  claim: 'worse',
  rollout: { intent: 'improve', steps: labelled() },
  labels: { windowMs: 1_000, selection: 'random' },
  hasAnchor: true,
  requestsMax: 8_000,
  nature: labelling({ anchor: 0.05, stable: 0.068, candidate: 0.086, label: atOnce }),
};

export const ANCHOR_AT_MARGIN: World = {
  ...ANCHOR_CREEP,
  name: 'anchor-at-margin',
  about: 'The candidate is as good as stable, and wrong 2 points more often than the anchor.',
  claim: 'margin',
  nature: labelling({ anchor: 0.05, stable: 0.07, candidate: 0.07, label: atOnce }),
};

export const ANCHOR_SAME: World = {
  ...ANCHOR_CREEP,
  name: 'anchor-same',
  about: 'Candidate, stable and anchor are wrong equally often.',
  claim: 'fair',
  nature: labelling({ anchor: 0.05, stable: 0.05, candidate: 0.05, label: atOnce }),
};
