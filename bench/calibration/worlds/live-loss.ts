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
