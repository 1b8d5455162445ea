import {
  type ArmCounts,
  type BlockCounts,
  type DifferenceCounts,
  type Evidence,
  type ExposureCounts,
  NO_EVIDENCE,
  type PairedFailureCounts,
} from '../../src/core/evidence.ts';
import { type LabelCoverage, NO_LABELS } from '../../src/core/label-evidence.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import { aRolloutSpec } from '../support/a-rollout-spec.ts';

/** A rollout that requires every metric that can be required, with one declared slice. */
export function aSpec(changes: Partial<RolloutSpec> = {}): RolloutSpec {
  return aRolloutSpec({
    slices: [{ garment: 'upper', tone: 'dark' }],
    labels: { windowMs: 60_000, selection: 'random' },
    steps: [
      { kind: 'setMirror', percentage: 100, twin: 20 },
      {
        kind: 'analysis',
        require: ['disagreement', 'pairedErrors', 'labelledLoss'],
        reject: ['pairedLatency'],
      },
      { kind: 'setWeight', percent: 25, control: true },
      { kind: 'analysis', require: ['errors', 'slowRequests'], reject: [] },
      { kind: 'promote' },
    ],
    ...changes,
  });
}

/** Differences on the grid: value (a multiple of 0.001) and how often it came. */
export function differences(
  ...values: readonly [value: number, count: number][]
): DifferenceCounts {
  const grid = Object.fromEntries(
    values.map(([value, count]) => [String(Math.round(value * 1000)), count]),
  );
  return { down: grid, up: grid };
}

/** Pairs, each a unit of its own: which version failed (0 or 1), and how often that came. */
export function failedPairs(
  ...pairs: readonly [candidate: number, stable: number, count: number][]
): PairedFailureCounts {
  return Object.fromEntries(
    pairs.map(([candidate, stable, count]) => [`${candidate}:${stable}/1`, count]),
  );
}

export function anArm(changes: Partial<ArmCounts> = {}): ArmCounts {
  const { units = 2_000, errors = 0, slow = 0 } = changes;
  const felt = { erredRequests: errors, slowRequests: slow };
  return { requests: units, units, timedUnits: units, errors, slow, ...felt, ...changes };
}

export function anExposure(
  candidate: Partial<ArmCounts>,
  reference: Partial<ArmCounts>,
): ExposureCounts {
  return { candidate: anArm(candidate), reference: anArm(reference) };
}

/** Labels that came for all units, those on which the versions differ included. */
export const FULLY_LABELLED: LabelCoverage = {
  agreeing: { units: 2_940, labelled: 2_940 },
  differing: { units: 60, labelled: 60 },
  blocks: { '1/16/16': 60 },
};

/** Each unit with its one request. */
export function sharesOf(live: Evidence['live']): NonNullable<Evidence['liveErrors']> {
  const counts = ({ units, errors }: ArmCounts) => ({ '0/1': units - errors, '1/1': errors });
  return Object.fromEntries(
    Object.entries(live).map(([key, { candidate, reference }]) => [
      key,
      { candidate: counts(candidate), reference: counts(reference) },
    ]),
  );
}

/** What was felt of each arm's requests. */
export function feltOf(live: Evidence['live']): NonNullable<Evidence['liveFelt']> {
  const felt = ({ requests, erredRequests }: ArmCounts) => ({ requests, failed: erredRequests });
  return Object.fromEntries(
    Object.entries(live).map(([key, { candidate, reference }]) => [
      key,
      { candidate: felt(candidate), reference: felt(reference) },
    ]),
  );
}

const GOOD_LIVE = {
  '500:500': anExposure({ errors: 2, slow: 100 }, { errors: 2, slow: 100 }),
  '2500:2500': anExposure({ errors: 2, slow: 100 }, { errors: 2, slow: 100 }),
};

/** So many blocks of one length, and the newest, which is still open. */
export function blocks<Counts extends readonly number[]>(
  counts: readonly Counts[],
  lengthMs = 5_000,
): BlockCounts<Counts> {
  const open = counts.at(-1);
  const all = open === undefined ? [] : [...counts, open];
  return Object.fromEntries(all.map((each, at) => [`${lengthMs}:${340_000_000 + at}`, each]));
}

/** The same counts in each of so many blocks. */
export function repeated<Counts extends readonly number[]>(
  times: number,
  counts: Counts,
): readonly Counts[] {
  return Array.from({ length: times }, () => counts);
}

/** Evidence of a candidate that is as good as stable in everything, with enough of it to say so. */
export function goodEvidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    ...NO_EVIDENCE,
    mirror: {
      eligible: 4_000,
      notSampled: 0,
      compared: 3_900,
      dropped: { queueFull: 60 },
      timedOut: 40,
      failed: 0,
      byLoad: {
        0: { sampled: 2_000, compared: 1_990 },
        1: { sampled: 1_500, compared: 1_450 },
        2: { sampled: 450, compared: 420 },
        4: { sampled: 50, compared: 40 },
      },
    },
    disagreement: differences([0, 3_850], [0.5, 50]),
    excessDisagreement: differences([-0.5, 10], [0, 1_980], [0.5, 10]),
    pairedErrors: differences([0, 3_900]),
    pairedFailures: failedPairs([0, 0, 3_900]),
    pairedLatency: { pairs: 2_000, slower: 100 },
    latencyBlocks: blocks(repeated(40, [40, 2]), 10_000),
    labelledLoss: differences([-1, 30], [0, 2_940], [1, 30]),
    labelledLossBySlice: {
      'garment=upper,tone=dark': differences([-1, 5], [0, 1_490], [1, 5]),
    },
    labels: { joined: 3_000, unmatched: 3 },
    labelling: {
      ...NO_LABELS,
      labelled: 3_000,
      coverage: { '': FULLY_LABELLED, 'garment=upper,tone=dark': FULLY_LABELLED },
    },
    live: GOOD_LIVE,
    liveErrors: sharesOf(changes.live ?? GOOD_LIVE),
    liveFelt: feltOf(changes.live ?? GOOD_LIVE),
    slowBlocks: blocks(repeated(150, [60, 3, 60, 3])),
    ...changes,
  };
}
