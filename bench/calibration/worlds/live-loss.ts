import type { Random } from '../../../src/core/random.ts';
import type { Arm } from '../../../src/core/route.ts';
import { exponential, happens } from '../chance.ts';
import { requests } from '../requests.ts';
import type { World } from '../world.ts';

type Mistakes = {
  /** Share of the requests that each arm answers wrongly, at a moment. */
  readonly wrong: (arm: Arm, nowMs: number) => number;
  /** Share of the wrong, and of the right, answers that users send a label for; by whom they were answered. */
  readonly label: (arm: Arm) => { readonly wrong: number; readonly right: number };
};

/** Users label what they were served: mistakes within a second, the rest within ten. */
function labelledLive({ wrong, label }: Mistakes): World['nature'] {
  return (random: Random) =>
    requests(random, 100, (nowMs) => {
      let served: Arm = 'stable';
      return {
        live: (arm) => {
          served = arm;
          return { tookMs: 4, class: happens(random, wrong(arm, nowMs)) ? 1 : 0 };
        },
        label: ({ class: top = 0 }) => {
          const shares = label(served);
          const isWrong = top !== 0;
          if (!happens(random, isWrong ? shares.wrong : shares.right)) return undefined;
          return { class: 0, afterMs: exponential(random, isWrong ? 1_000 : 10_000) };
        },
      };
    });
}

const alike = () => ({ wrong: 0.4, right: 0.15 });

/** Nothing is ever required of `errors` here within the run, so only labels can end the trial. */
export const LIVE_LOSS_SAME: World = {
  name: 'live-loss-same',
  about: 'Users label 40 % of the mistakes and 15 % of the rest; both versions err in 5 %.',
  claim: 'fair',
  rollout: {
    intent: 'equivalent',
    steps: [
      { kind: 'setWeight', percent: 50, control: false },
      { kind: 'analysis', require: ['errors'], reject: ['liveLoss'] },
      { kind: 'promote' },
    ],
    margins: { errors: { ratio: 1, absolute: 0.0001 } },
  },
  labels: { windowMs: 30_000, selection: 'arrival' },
  requestsMax: 18_000,
  nature: labelledLive({ wrong: () => 0.05, label: alike }),
};

export const LIVE_LOSS_DRIFT: World = {
  ...LIVE_LOSS_SAME,
  name: 'live-loss-drift',
  about:
    'Both versions err in 2 % and in 40 % of the answers, by turns of 7 s; mistakes are labelled more often.',
  nature: labelledLive({
    wrong: (_, nowMs) => (Math.floor(nowMs / 7_000) % 2 === 0 ? 0.02 : 0.4),
    label: alike,
  }),
};

export const LIVE_LOSS_MORE_LABELS: World = {
  ...LIVE_LOSS_SAME,
  name: 'live-loss-more-labels',
  about:
    "The candidate's answers get labels twice as often as stable's; both versions err in 30 %.",
  nature: labelledLive({
    wrong: () => 0.3,
    label: (arm) => (arm === 'candidate' ? { wrong: 0.4, right: 0.4 } : { wrong: 0.2, right: 0.2 }),
  }),
};

/** A control too: five times as much of the traffic goes to neither. */
export const LIVE_LOSS_SMALL_SHARE: World = {
  ...LIVE_LOSS_SAME,
  name: 'live-loss-small-share',
  about:
    'A tenth of the traffic to the candidate and as much to control; all answers are labelled and both err in 10 %.',
  rollout: {
    ...LIVE_LOSS_SAME.rollout,
    steps: [
      { kind: 'setWeight', percent: 10, control: true },
      { kind: 'analysis', require: ['errors'], reject: ['liveLoss'] },
      { kind: 'promote' },
    ],
  },
  nature: labelledLive({ wrong: () => 0.1, label: () => ({ wrong: 1, right: 1 }) }),
};

/** The labels are declared a random sample, so they may prove as well. */
const REQUIRED = {
  ...LIVE_LOSS_SAME,
  rollout: {
    intent: 'equivalent',
    steps: [
      { kind: 'setWeight', percent: 50, control: false },
      { kind: 'analysis', require: ['liveLoss'], reject: [] },
      { kind: 'promote' },
    ],
  },
  labels: { windowMs: 30_000, selection: 'random' },
} as const satisfies Partial<World>;

export const LIVE_LOSS_AT_MARGIN: World = {
  ...REQUIRED,
  name: 'live-loss-at-margin',
  about: 'A half of all live answers is labelled; the candidate errs in 7 %, stable in 5 %.',
  claim: 'margin',
  nature: labelledLive({
    wrong: (arm) => (arm === 'candidate' ? 0.07 : 0.05),
    label: () => ({ wrong: 0.5, right: 0.5 }),
  }),
};

export const LIVE_LOSS_REQUIRED_SAME: World = {
  ...REQUIRED,
  name: 'live-loss-required-same',
  about: 'A half of all live answers is labelled; both versions err in 3 %.',
  nature: labelledLive({ wrong: () => 0.03, label: () => ({ wrong: 0.5, right: 0.5 }) }),
};

export const LIVE_LOSS_SELECTED_BY_ARM: World = {
  ...REQUIRED,
  name: 'live-loss-selected-by-arm',
  about:
    "Labels that are declared random come for 90 % of stable's mistakes, and for 20 % of all other answers; the candidate errs in 25 %, stable in 20 %.",
  claim: 'worse',
  nature: labelledLive({
    wrong: (arm) => (arm === 'candidate' ? 0.25 : 0.2),
    label: (arm) => ({ wrong: arm === 'candidate' ? 0.2 : 0.9, right: 0.2 }),
  }),
};

/** How often labels come for the arms differs little, so that no look at that can tell. */
export const LIVE_LOSS_MISTAKES_OF_ONE_ARM: World = {
  ...LIVE_LOSS_SAME,
  name: 'live-loss-mistakes-of-one-arm',
  about:
    "Users label 80 % of the candidate's mistakes, 40 % of stable's and 15 % of the rest; both versions err in 5 %.",
  claim: 'liar',
  nature: labelledLive({
    wrong: () => 0.05,
    label: (arm) => ({ wrong: arm === 'candidate' ? 0.8 : 0.4, right: 0.15 }),
  }),
};
