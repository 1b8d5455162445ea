import type { Random } from '../../../src/core/random.ts';
import type { Arm } from '../../../src/core/route.ts';
import type { Answer } from '../answer.ts';
import { exponential, happens } from '../chance.ts';
import { requests } from '../requests.ts';
import { labelled } from '../steps.ts';
import type { Label, World } from '../world.ts';

type Truth = {
  readonly stableWrong: boolean;
  readonly candidateWrong: boolean;
  readonly dark: boolean;
};

export type Labelling = {
  readonly perSecond?: number;
  /** Shares of the requests that each version answers wrongly. */
  readonly stable: number;
  readonly candidate: number;
  /** More of the candidate's answers are wrong in the slice `tone: dark`, half of the requests. */
  readonly candidateInDark?: number;
  /** The share of the anchor's answers that are wrong, where it is a third version. */
  readonly anchor?: number;
  /** Whether and when an answer gets its label. `arm`: that gave it. */
  readonly label: (random: Random, truth: Truth, arm: Arm) => number | undefined;
};

/** Both versions answer each request; labels come as `label` says. */
export function labelling(setting: Labelling): World['nature'] {
  const { perSecond = 50, stable, candidate, candidateInDark = candidate, label } = setting;
  const { anchor } = setting;
  return (random) =>
    requests(random, perSecond, () => {
      const dark = happens(random, 0.5);
      const truth = {
        stableWrong: happens(random, stable),
        candidateWrong: happens(random, dark ? candidateInDark : candidate),
        dark,
      };
      let served: Arm = 'stable';
      const answer = (isWrong: boolean): Answer => ({ tookMs: 4, class: isWrong ? 1 : 0 });
      return {
        attributes: { tone: dark ? 'dark' : 'light' },
        live: (arm) => {
          served = arm;
          return answer(arm === 'candidate' ? truth.candidateWrong : truth.stableWrong);
        },
        shadow: () => ({
          candidate: answer(truth.candidateWrong),
          twin: answer(truth.stableWrong),
          ...(anchor !== undefined && { anchor: answer(happens(random, anchor)) }),
        }),
        label: (): Label | undefined => {
          const afterMs = label(random, truth, served);
          return afterMs === undefined ? undefined : { class: 0, afterMs };
        },
      };
    });
}

const SLICES = [{ tone: 'dark' }, { tone: 'light' }];
const atOnce = (): number => 100;
const IMPROVE = { intent: 'improve', steps: labelled() } as const;

/** A fifth of the answers gets a label, whichever they are. */
const aFifth =
  (after: (random: Random) => number) =>
  (random: Random): number | undefined =>
    happens(random, 0.2) ? after(random) : undefined;

export const LABELS_AT_MARGIN: World = {
  name: 'labels-at-margin',
  about: 'The candidate is wrong 2 points more often, over all and in both slices.',
  claim: 'margin',
  rollout: { ...IMPROVE, slices: SLICES },
  labels: { windowMs: 1_000, selection: 'random' },
  attributes: ['tone'],
  requestsMax: 8_000,
  nature: labelling({ stable: 0.05, candidate: 0.07, label: atOnce }),
};

export const LABELS_AT_MARGIN_UNSLICED: World = {
  ...LABELS_AT_MARGIN,
  name: 'labels-at-margin-unsliced',
  about: 'The candidate is wrong 2 points more often; no slices.',
  rollout: IMPROVE,
};

export const LABELS_AT_MARGIN_IN_SLICE: World = {
  ...LABELS_AT_MARGIN,
  name: 'labels-at-margin-in-slice',
  about:
    'The candidate is as good as stable but for one slice, where it is wrong 2 points more often.',
  nature: labelling({ stable: 0.05, candidate: 0.05, candidateInDark: 0.07, label: atOnce }),
};

export const LABELS_SAME: World = {
  ...LABELS_AT_MARGIN,
  name: 'labels-same',
  about: 'Both versions are wrong in 5 % of the answers, in both slices.',
  claim: 'fair',
  nature: labelling({ stable: 0.05, candidate: 0.05, label: atOnce }),
};

export const LABELS_LATE: World = {
  name: 'labels-late',
  about:
    'A fifth of the answers gets a label, ten seconds later on average; the candidate is 3 points worse.',
  claim: 'worse',
  rollout: IMPROVE,
  // A twentieth of the labels comes later.
  labels: { windowMs: 30_000, selection: 'random' },
  requestsMax: 18_000,
  nature: labelling({
    perSecond: 100,
    stable: 0.05,
    candidate: 0.08,
    label: aFifth((random) => exponential(random, 10_000)),
  }),
};

export const LABELS_LATE_SAME: World = {
  ...LABELS_LATE,
  name: 'labels-late-same',
  about:
    'A fifth of the answers gets a label, ten seconds later on average; both versions are the same.',
  claim: 'fair',
  nature: labelling({
    perSecond: 100,
    stable: 0.05,
    candidate: 0.05,
    label: aFifth((random) => exponential(random, 10_000)),
  }),
};

/** Mistakes of stable are reported within half a second, what was right within ten. */
const mistakesFirst = (random: Random, { stableWrong }: Truth): number | undefined =>
  happens(random, 0.2) ? exponential(random, stableWrong ? 500 : 10_000) : undefined;

export const LABELS_MISTAKES_FIRST: World = {
  ...LABELS_LATE,
  name: 'labels-mistakes-first',
  about:
    "Labels of stable's mistakes come after half a second, others after ten; the candidate is 3 points worse.",
  nature: labelling({
    perSecond: 100,
    stable: 0.05,
    candidate: 0.08,
    label: mistakesFirst,
  }),
};

export const LABELS_MISTAKES_FIRST_SAME: World = {
  ...LABELS_MISTAKES_FIRST,
  name: 'labels-mistakes-first-same',
  about:
    "Labels of stable's mistakes come after half a second, others after ten; both versions are the same.",
  claim: 'fair',
  nature: labelling({
    perSecond: 100,
    stable: 0.05,
    candidate: 0.05,
    label: mistakesFirst,
  }),
};

/** Labellers pick what stable got wrong. */
export const LABELS_SELECTED: World = {
  ...LABELS_LATE,
  name: 'labels-selected',
  about:
    "40 % of stable's mistakes get a label and 15 % of its other answers, which are declared random; the candidate is 3 points worse.",
  labels: { windowMs: 10_000, selection: 'random' },
  requestsMax: 15_000,
  nature: labelling({
    perSecond: 100,
    stable: 0.05,
    candidate: 0.08,
    label: (random, { stableWrong }) =>
      happens(random, stableWrong ? 0.4 : 0.15) ? exponential(random, 1_000) : undefined,
  }),
};

/** A fifth of the pairs that agree and a fifth of those that differ: coverage looks sound. */
export const LABELS_SELECTED_AMONG_DIFFERING: World = {
  ...LABELS_LATE,
  name: 'labels-selected-among-differing',
  about:
    'A fifth of the pairs that agree and a fifth of those that differ get a label, the latter mostly where stable is wrong; none is declared random, and the candidate is 3 points worse.',
  labels: { windowMs: 10_000, selection: 'arrival' },
  requestsMax: 15_000,
  nature: labelling({
    perSecond: 100,
    stable: 0.05,
    candidate: 0.08,
    label: (random, { stableWrong, candidateWrong }) => {
      const agree = stableWrong === candidateWrong;
      const share = agree ? 0.2 : stableWrong ? 0.4 : 0.08;
      return happens(random, share) ? exponential(random, 1_000) : undefined;
    },
  }),
};

export const LABELS_NOISY: World = {
  ...LABELS_LATE,
  name: 'labels-noisy',
  about:
    'A fifth of the labels is wrong; the candidate is 3 points worse, which such labels show as 1.8.',
  claim: 'liar',
  nature: (random) => {
    const { next } = labelling({
      perSecond: 100,
      stable: 0.05,
      candidate: 0.08,
      label: aFifth(() => 1_000),
    })(random);
    return {
      next: (nowMs) => {
        const request = next(nowMs);
        const isWrong = happens(random, 0.2);
        return {
          ...request,
          label: (served) => {
            const label = request.label?.(served);
            return label === undefined ? undefined : { ...label, class: isWrong ? 1 : 0 };
          },
        };
      },
    };
  },
};

export const LABELS_SELECTED_DECLARED: World = {
  ...LABELS_SELECTED_AMONG_DIFFERING,
  name: 'labels-selected-but-declared-random',
  about:
    'The same selection among the pairs that differ, and the operator declares the labels a random sample.',
  claim: 'liar',
  labels: { windowMs: 10_000, selection: 'random' },
};

/** Over both arms labels come as often where the versions differ as elsewhere, and in neither of them do they. */
export const LABELS_SELECTED_BY_ARM: World = {
  ...LABELS_LATE,
  name: 'labels-selected-by-arm',
  about:
    "Of what control serves half of stable's mistakes get a label and a fifth of the rest; of what stable serves fewer where the versions differ. They are declared random, and the candidate is 3 points worse.",
  rollout: {
    intent: 'improve',
    steps: [
      { kind: 'setMirror', percentage: 100, twin: 0 },
      { kind: 'setWeight', percent: 35, control: true },
      { kind: 'analysis', require: ['labelledLoss'], reject: [] },
      { kind: 'promote' },
    ],
  },
  labels: { windowMs: 10_000, selection: 'random' },
  requestsMax: 25_000,
  nature: labelling({
    perSecond: 100,
    stable: 0.05,
    candidate: 0.08,
    label: (random, { stableWrong, candidateWrong }, arm) => {
      const differs = stableWrong !== candidateWrong;
      const selected = arm === 'control' ? (stableWrong ? 0.5 : 0.2) : differs ? 0.12 : 0.2;
      return happens(random, selected) ? exponential(random, 1_000) : undefined;
    },
  }),
};
