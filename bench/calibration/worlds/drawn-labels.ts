import type { Random } from '../../../src/core/random.ts';
import { exponential, happens } from '../chance.ts';
import { labelled } from '../steps.ts';
import type { World } from '../world.ts';
import { type Labelling, labelling } from './labels.ts';

const SLICES = [{ tone: 'dark' }, { tone: 'light' }];
const IMPROVE = { intent: 'improve', steps: labelled() } as const;

type Drawn = Pick<Labelling, 'stable' | 'candidate' | 'candidateInDark' | 'label'> & {
  /** The share of the answers that get a second label, which says something else. */
  readonly contradicted?: number;
  /** The share of the labels that are wrong. */
  readonly wrong?: number;
};

const WINDOW_MS = 5_000;

/** The labels of a queue: only those of pairs that were drawn are evidence. */
function drawnLabels(setting: Drawn): World['nature'] {
  const { contradicted = 0, wrong = 0, ...rest } = setting;
  return (random) => {
    const { next } = labelling(rest)(random);
    return {
      next: (nowMs) => {
        const request = next(nowMs);
        const isContradicted = happens(random, contradicted);
        const isWrong = happens(random, wrong);
        return {
          ...request,
          label: (served) => {
            const label = request.label?.(served);
            if (label === undefined) return undefined;
            const again = { class: 1, afterMs: label.afterMs + 100 };
            return { ...label, class: isWrong ? 1 : 0, ...(isContradicted && { again }) };
          },
        };
      },
    };
  };
}

const atOnce = (): number => 100;

/** Most come in time: one in 150 is late. */
const slowly = (random: Random): number => exponential(random, 1_000);

const EVERY = { probability: 1, minProbability: 1 };
const QUARTER = { probability: 0.25, minProbability: 0.25 };

export const DRAWN_AT_MARGIN: World = {
  name: 'drawn-labels-at-margin',
  about:
    'The gateway draws every pair on which the versions differ, and each gets its label; the candidate is wrong 2 points more often.',
  claim: 'margin',
  rollout: IMPROVE,
  labels: { windowMs: 1_000, selection: 'drawn', queue: EVERY },
  requestsMax: 8_000,
  nature: drawnLabels({ stable: 0.05, candidate: 0.07, label: atOnce }),
};

export const DRAWN_SAME: World = {
  ...DRAWN_AT_MARGIN,
  name: 'drawn-labels-same',
  about:
    'The gateway draws every pair on which the versions differ, over all and in two slices; both are wrong in 5 % of the answers.',
  claim: 'fair',
  rollout: { ...IMPROVE, slices: SLICES },
  attributes: ['tone'],
  nature: drawnLabels({ stable: 0.05, candidate: 0.05, label: atOnce }),
};

export const DRAWN_QUARTER_AT_MARGIN: World = {
  ...DRAWN_AT_MARGIN,
  name: 'drawn-labels-quarter-at-margin',
  about:
    'The gateway draws a quarter of the pairs on which the versions differ, and restarts after every 3,000 requests; the candidate is wrong 2 points more often.',
  labels: { windowMs: 1_000, selection: 'drawn', queue: QUARTER },
  requestsMax: 16_000,
  restartEvery: 3_000,
  nature: drawnLabels({ stable: 0.05, candidate: 0.07, label: atOnce }),
};

export const DRAWN_IN_SLICE_AT_MARGIN: World = {
  ...DRAWN_SAME,
  name: 'drawn-labels-at-margin-in-slice',
  about:
    'The candidate is as good as stable but for one slice, where it is wrong 2 points more often.',
  claim: 'margin',
  nature: drawnLabels({ stable: 0.05, candidate: 0.05, candidateInDark: 0.07, label: atOnce }),
};

export const DRAWN_CARELESS: World = {
  ...DRAWN_AT_MARGIN,
  name: 'drawn-labels-careless-at-margin',
  about:
    'Labels of drawn pairs come a second later on average and some too late, one in twenty is contradicted by a second one, and the candidate is wrong 2 points more often.',
  labels: { windowMs: WINDOW_MS, selection: 'drawn', queue: EVERY },
  nature: drawnLabels({ stable: 0.05, candidate: 0.07, contradicted: 0.05, label: slowly }),
};

export const DRAWN_CARELESS_SAME: World = {
  ...DRAWN_CARELESS,
  name: 'drawn-labels-careless-same',
  about: 'The same labeller; both versions are wrong in 5 % of the answers.',
  claim: 'fair',
  nature: drawnLabels({ stable: 0.05, candidate: 0.05, contradicted: 0.05, label: slowly }),
};

export const DRAWN_HARD_ONES_LEFT_OUT: World = {
  ...DRAWN_AT_MARGIN,
  name: 'drawn-labels-hard-ones-left-out',
  about:
    'The labeller leaves out four in five of the drawn pairs that the candidate gets wrong, and answers all others; the candidate is 3 points worse, and looks better where it is labelled.',
  claim: 'worse',
  nature: drawnLabels({
    stable: 0.05,
    candidate: 0.08,
    label: (random, { candidateWrong }) =>
      candidateWrong && happens(random, 0.8) ? undefined : 100,
  }),
};

export const DRAWN_SUPERIOR_SAME: World = {
  ...DRAWN_AT_MARGIN,
  name: 'drawn-labels-superior-same',
  about:
    'Both versions are wrong in 5 % of the answers; the rollout claims that the candidate is better, by a quarter of the pairs on which they differ.',
  rollout: { ...IMPROVE, claim: 'superior' },
  labels: { windowMs: 1_000, selection: 'drawn', queue: QUARTER },
  nature: drawnLabels({ stable: 0.05, candidate: 0.05, label: atOnce }),
};

export const DRAWN_NOISY: World = {
  ...DRAWN_AT_MARGIN,
  name: 'drawn-labels-noisy',
  about:
    'A fifth of the labels of drawn pairs is wrong; the candidate is 3 points worse, which such labels show as 1.8.',
  claim: 'liar',
  nature: drawnLabels({ stable: 0.05, candidate: 0.08, wrong: 0.2, label: atOnce }),
};
