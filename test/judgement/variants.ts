/** What is tried against the shipped model, and what has to become of it. */

import { seededRandom } from '../../src/core/random.ts';
import type { BreakerTrip, Margins } from '../../src/core/rollout.ts';
import type { MetricName } from '../../src/core/verdict.ts';
import { buildSlowed } from '../../src/demo/builds.ts';
import {
  ROUNDS_WITHOUT_END,
  withBias,
  withClassesShifted,
  withLoop,
  withNan,
  withNoise,
  withRuntimeError,
  withTemperature,
} from './broken-builds.ts';

/** What the builds are made from. */
export type Original = {
  readonly bytes: Uint8Array;
  /** The mean that this share of the test images is above. */
  readonly meanAbove: (share: number) => number;
  /** Copies of the network that make a run so much longer here; milliseconds. */
  readonly copiesFor: (ms: number) => number;
  /** Rounds of a loop that take so long here; milliseconds. */
  readonly roundsFor: (ms: number) => number;
};

export type Expected = 'promoted' | 'refused';

export type Variant = {
  readonly name: string;
  readonly title: string;
  readonly expected: Expected;
  /** Of these one has to name what is wrong. */
  readonly by: readonly (MetricName | BreakerTrip['cause'])[];
  /** Where not the defaults. */
  readonly margins?: Partial<Margins>;
  readonly build: (original: Original) => Uint8Array;
};

/** Of draws that change the top class of 10 %, 1.8 % and 0.07 % of the images. */
const SEED = 8;
const noisy =
  (deviation: number) =>
  ({ bytes }: Original) =>
    withNoise(bytes, deviation, seededRandom(SEED));

/** Longer than the same run by so much; of the first, one network alone takes a quarter at most, of the second two thirds. */
const SLOWER_MS = 0.2;
const BARELY_SLOWER_MS = 0.033;

/** Past every deadline here, and before a process is taken to hang. */
const LATE_MS = 2_500;

export const VARIANTS: readonly Variant[] = [
  {
    name: 'permuted',
    title: 'each class has the scores of another',
    expected: 'refused',
    by: ['disagreement'],
    build: ({ bytes }) => withClassesShifted(bytes),
  },
  {
    name: 'bias',
    title: 'one class scores 1 higher',
    expected: 'refused',
    by: ['disagreement'],
    build: ({ bytes }) => withBias(bytes, 6, 1),
  },
  {
    name: 'noise-0.2',
    title: 'weights x N(1, 0.2)',
    expected: 'refused',
    by: ['disagreement'],
    build: noisy(0.2),
  },
  {
    name: 'noise-0.03',
    title: 'weights x N(1, 0.03)',
    expected: 'refused',
    by: ['disagreement'],
    build: noisy(0.03),
  },
  {
    name: 'noise-0.001',
    title: 'weights x N(1, 0.001)',
    expected: 'promoted',
    by: [],
    build: noisy(0.001),
  },
  {
    name: 'same',
    title: 'the same file',
    expected: 'promoted',
    by: [],
    build: ({ bytes }) => bytes,
  },
  {
    name: 'error',
    title: 'runs fail on 1 % of the inputs',
    expected: 'refused',
    by: ['pairedErrors', 'errors'],
    build: ({ bytes, meanAbove }) => withRuntimeError(bytes, meanAbove(0.01)),
  },
  {
    name: 'slower',
    title: `runs take ${SLOWER_MS} ms longer, some 3.7 times`,
    expected: 'refused',
    by: ['pairedLatency'],
    build: ({ bytes, copiesFor }) => buildSlowed(bytes, { copies: copiesFor(SLOWER_MS) }),
  },
  {
    name: 'barely-slower',
    title: `runs take ${BARELY_SLOWER_MS} ms longer, less than floorMs`,
    expected: 'promoted',
    by: [],
    build: ({ bytes, copiesFor }) => buildSlowed(bytes, { copies: copiesFor(BARELY_SLOWER_MS) }),
  },
  {
    name: 'nan-1',
    title: 'NaN on 1 % of the inputs',
    expected: 'refused',
    by: ['pairedErrors', 'errors'],
    build: ({ bytes, meanAbove }) => withNan(bytes, meanAbove(0.01)),
  },
  {
    name: 'nan-0.4',
    title: 'NaN on 0.4 % of the inputs',
    expected: 'refused',
    by: ['pairedErrors', 'errors'],
    build: ({ bytes, meanAbove }) => withNan(bytes, meanAbove(0.004)),
  },
  {
    name: 'flattened',
    title: 'softmax at temperature 10: the same top class',
    expected: 'refused',
    by: ['disagreement'],
    build: ({ bytes }) => withTemperature(bytes, 10),
  },
  {
    name: 'late',
    title: `runs take ${LATE_MS / 1_000} s on 8 % of the inputs`,
    expected: 'refused',
    // On a machine so busy that a run takes several times as long it hangs.
    by: ['pairedErrors', 'errors', 'crashLoop'],
    build: ({ bytes, meanAbove, roundsFor }) =>
      withLoop(bytes, { above: meanAbove(0.08), rounds: roundsFor(LATE_MS) }),
  },
  {
    name: 'hang',
    title: 'runs never end on 8 % of the inputs',
    expected: 'refused',
    // Each hang ends the process, and too many of them the trial.
    by: ['pairedErrors', 'errors', 'crashLoop'],
    build: ({ bytes, meanAbove }) =>
      withLoop(bytes, { above: meanAbove(0.08), rounds: ROUNDS_WITHOUT_END }),
  },
];
