import { CLASSES, scores } from '../answer.ts';
import { happens } from '../chance.ts';
import { healthy, likeStable, requests } from '../requests.ts';
import { growing, inShadow } from '../steps.ts';
import type { World } from '../world.ts';

const NAN = [scores(Array.from({ length: CLASSES }, () => Number.NaN))];
/** The right class is still on top, and all are about as likely. */
const FLAT = [scores(Array.from({ length: CLASSES }, (_, at) => (at === 0 ? 0.28 : 0.24)))];

/** From shadow to promotion with the default steps. */
const WHOLE = {};

export const NAN_RARE: World = {
  name: 'nan-rare',
  about: 'The candidate answers NaN to 0.4 % of the requests; the default rollout.',
  claim: 'worse',
  rollout: WHOLE,
  requestsMax: 60_000,
  nature: (random) =>
    requests(random, 100, () => {
      const isNan = happens(random, 0.004);
      return {
        live: (arm) =>
          arm === 'candidate' && isNan ? { ...healthy(random), outputs: NAN } : healthy(random),
        shadow: (stable) => {
          const { candidate, twin } = likeStable(random, stable);
          return { candidate: isNan ? { ...candidate, outputs: NAN } : candidate, twin };
        },
      };
    }),
};

export const FLATTENED: World = {
  name: 'probabilities-flattened',
  about: 'The candidate gives every class about the same probability; the top class is right.',
  claim: 'worse',
  rollout: { steps: inShadow('disagreement', 'pairedErrors') },
  requestsMax: 8_000,
  nature: (random) =>
    requests(random, 50, () => ({
      shadow: (stable) => {
        const { candidate, twin } = likeStable(random, stable);
        return { candidate: { ...candidate, outputs: FLAT }, twin };
      },
    })),
};

export const HANGS: World = {
  name: 'hangs-in-shadow',
  about: 'The candidate hangs on 8 % of the requests until their deadline.',
  claim: 'worse',
  rollout: { steps: inShadow('disagreement', 'pairedErrors') },
  requestsMax: 8_000,
  nature: (random) =>
    requests(random, 50, () => ({
      shadow: (stable) => {
        const { candidate, twin } = likeStable(random, stable);
        const hangs = happens(random, 0.08);
        return {
          candidate: hangs ? { tookMs: 1_000, failure: 'deadline_exceeded' } : candidate,
          twin,
        };
      },
    })),
};

export const TIME_OUTS_SAME: World = {
  name: 'time-outs-same',
  about: 'In the shadow host 1 % of the runs of either version pass their deadline.',
  claim: 'fair',
  rollout: { steps: inShadow('disagreement', 'pairedErrors') },
  requestsMax: 8_000,
  nature: (random) =>
    requests(random, 50, () => ({
      shadow: (stable) => {
        const late = { tookMs: 1_000, failure: 'deadline_exceeded' } as const;
        const { candidate, twin } = likeStable(random, stable);
        return {
          candidate: happens(random, 0.01) ? late : candidate,
          twin: happens(random, 0.01) ? late : twin,
        };
      },
    })),
};

/** Every pair mirrored and a fifth of them twinned, as the default rollout has it. */
const FEW_TWINS = [
  { kind: 'setMirror', percentage: 100, twin: 20 },
  { kind: 'analysis', require: ['pairedErrors'], reject: [] },
  { kind: 'promote' },
] as const;

/** Runs that end after the caller's deadline, in so many of the runs of either version. */
function late(rates: { readonly candidate: number; readonly twin: number }): World['nature'] {
  return (random) =>
    requests(random, 50, () => ({
      shadow: (stable) => {
        const { candidate, twin } = likeStable(random, stable);
        const slowly = <Of extends object>(answer: Of, rate: number) =>
          happens(random, rate) ? { ...answer, tookMs: 2_000 } : answer;
        return { candidate: slowly(candidate, rates.candidate), twin: slowly(twin, rates.twin) };
      },
    }));
}

export const LATE: readonly World[] = [
  {
    name: 'late-at-margin',
    about:
      'The candidate ends 0.2 % of its runs after the deadline, the twin none; a fifth have one.',
    claim: 'margin',
    rollout: { steps: FEW_TWINS },
    requestsMax: 12_000,
    nature: late({ candidate: 0.002, twin: 0 }),
  },
  {
    name: 'late-both',
    about:
      'Both versions end 2 % of their runs after the deadline; a fifth of the pairs are twinned.',
    claim: 'fair',
    rollout: { steps: FEW_TWINS },
    requestsMax: 12_000,
    nature: late({ candidate: 0.02, twin: 0.02 }),
  },
  {
    name: 'late-candidate',
    about:
      'The candidate ends 8 % of its runs after the deadline; a fifth of the pairs are twinned.',
    claim: 'worse',
    rollout: { steps: FEW_TWINS },
    requestsMax: 12_000,
    nature: late({ candidate: 0.08, twin: 0 }),
  },
];

export const GARBAGE_IN_BURSTS: World = {
  name: 'garbage-in-bursts',
  about: 'Now and then a caller sends 30 requests in a row that either version refuses.',
  claim: 'fair',
  rollout: { steps: growing('errors') },
  requestsMax: 20_000,
  nature: (random) => {
    let left = 0;
    return requests(random, 200, () => {
      if (left > 0) left -= 1;
      else if (happens(random, 0.001)) left = 30;
      const isGarbage = left > 0;
      return {
        live: () => (isGarbage ? { tookMs: 1, failure: 'invalid_input' } : healthy(random)),
      };
    });
  },
};
