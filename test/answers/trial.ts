import type { Outcome } from '../../bench/calibration/outcome.ts';
import { simulate } from '../../bench/calibration/simulate.ts';
import { understudy } from '../../bench/calibration/understudy.ts';
import type { World } from '../../bench/calibration/world.ts';
import type { Step } from '../../src/core/rollout.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { Contestant } from '../../src/trials/comparable.ts';
import type { Answers } from './answers.ts';
import type { Change, Manifest } from './manifest.ts';

const REQUESTS_MAX = 30_000;
/** Of the simulated traffic. */
const GAP_MS = 20;
const TOOK_MS = 4;
const LABEL_AFTER_MS = 100;
const LABEL_WINDOW_MS = 1_000;

export type Tried = {
  readonly manifest: Manifest;
  readonly change: Change;
  readonly stable: Answers;
  readonly candidate: Answers;
};

/** What came of a trial, and how many labels it was given. */
export type TrialResult = Outcome & { readonly labels: number };

/**
 * One rollout in shadow under a simulated clock: each request is drawn from the model's real ones, with replacement; the window,
 * the tests and the next action are the code that serves.
 */
export function tryChange(tried: Tried, seed: number): TrialResult {
  let labels = 0;
  const world = worldOf(tried, () => {
    labels += 1;
  });
  return { ...simulate(world, understudy(), seed), labels };
}

function worldOf(tried: Tried, onLabel: () => void): World {
  const { manifest, change, stable, candidate } = tried;
  const { intent = 'equivalent' } = change;
  const { name: attribute, values = [] } = manifest.attribute ?? {};
  const isLabelled = intent === 'improve';
  return {
    name: `${manifest.name}-${change.name}`,
    about: change.name,
    claim: change.expected === 'promoted' ? 'fair' : 'worse',
    rollout: {
      intent,
      steps: isLabelled ? LABELLED : UNLABELLED,
      ...(isLabelled &&
        attribute !== undefined && {
          slices: [...new Set(values)].sort().map((value) => ({ [attribute]: value })),
        }),
    },
    ...(isLabelled && { labels: { windowMs: LABEL_WINDOW_MS, selection: 'random' as const } }),
    ...(attribute !== undefined && { attributes: [attribute] }),
    requestsMax: REQUESTS_MAX,
    contestant: (version) => contestantOf(tried, version),
    nature: (random) => ({
      next: () => {
        const at = random.integer(manifest.requests);
        const group = values[at];
        return {
          gapMs: GAP_MS,
          ...(attribute !== undefined &&
            group !== undefined && { attributes: { [attribute]: group } }),
          live: (arm) => answerAt(arm === 'candidate' ? candidate : stable, at),
          shadow: () => ({ candidate: answerAt(candidate, at), twin: answerAt(stable, at) }),
          ...(isLabelled && {
            label: () => {
              onLabel();
              return { class: manifest.truth?.[at], afterMs: LABEL_AFTER_MS };
            },
          }),
        };
      },
    }),
  };
}

const MIRROR: Step = { kind: 'setMirror', percentage: 100, twin: 20 };
const PROMOTE: Step = { kind: 'promote' };
const UNLABELLED: readonly Step[] = [
  MIRROR,
  { kind: 'analysis', require: ['disagreement'], reject: ['pairedErrors'] },
  PROMOTE,
];
const LABELLED: readonly Step[] = [
  MIRROR,
  { kind: 'analysis', require: ['labelledLoss'], reject: ['pairedErrors'] },
  PROMOTE,
];

/** As the repository would say of a package with the model.yaml that the manifest stands for. */
export function contestantOf({ manifest, stable, candidate }: Tried, version: string): Contestant {
  return {
    version,
    labels: manifest.labels,
    task: manifest.task,
    compare: manifest.compare,
    signature: (version === '2' ? candidate : stable).signature,
  };
}

function answerAt(
  { outputs }: Answers,
  at: number,
): { tookMs: number; outputs: readonly Tensor[] } {
  return { tookMs: TOOK_MS, outputs: outputs[at] ?? [] };
}
