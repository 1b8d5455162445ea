import type { DrawnLossEvidence } from './drawn-loss.ts';
import type { FailureCounts } from './failure-kind.ts';

/**
 * All that a rollout has seen, as whole numbers and sets: counts add, sets unite, so evidence from workers, gateways and
 * restarts merges exactly, in any order, and a verdict can be recomputed from it bit for bit.
 */

import type {
  CoverageBlocks,
  LabelCoverage,
  LabelEvidence,
  LabelledUnits,
} from './label-evidence.ts';

/** Counts of values on a grid of 1/1000: grid step (a whole number as text) to count. */
export type GridCounts = Readonly<Record<string, number>>;

/**
 * Bounded per-request differences, candidate minus reference, in [-1, 1]. Values between two steps of the grid are counted at
 * the lower one in `down` (which a harm test reads) and at the upper one in `up` (which a safety test reads), so rounding
 * never makes a claim easier to prove.
 */
export type DifferenceCounts = { readonly down: GridCounts; readonly up: GridCounts };

/** What became of every request that the mirror might have copied. */
export type MirrorCounts = {
  readonly eligible: number;
  readonly notSampled: number;
  readonly compared: number;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly timedOut: number;
  /** The shadow host could not run it (its process died or refused), so it was not compared. */
  readonly failed: number;
  /** The live requests in flight at the flip of the coin, in powers of two (`0`, `1`, `2`, `4`, ...), and what became of them. */
  readonly byLoad: Readonly<
    Record<string, { readonly sampled: number; readonly compared: number }>
  >;
};

/** One arm at one exposure. Units, not requests: a unit's first bad event counts, later ones do not. */
export type ArmCounts = {
  readonly requests: number;
  readonly units: number;
  /** Units met while there was a threshold to be slower than: the trials that `slow` counts events of. */
  readonly timedUnits: number;
  readonly errors: number;
  readonly slow: number;
  /** All requests that failed, and all that were slow, however crowded: what users saw. */
  readonly erredRequests: number;
  readonly slowRequests: number;
};

/** What was seen at one exposure, keyed by `<candidateBp>:<referenceBp>`. */
export type ExposureCounts = { readonly candidate: ArmCounts; readonly reference: ArmCounts };

/** How many units had each share, as `<bad>/<requests>` in lowest terms. */
export type ShareCounts = Readonly<Record<string, number>>;

/** Shares of both arms at one exposure. */
export type ExposedCounts = { readonly candidate: ShareCounts; readonly reference: ShareCounts };

export type FeltCounts = { readonly requests: number; readonly failed: number };
export type FeltByArm = { readonly candidate: FeltCounts; readonly reference: FeltCounts };

/** How many units had so many requests failed by each version, as `<candidate's>:<reference's>/<requests>` in lowest terms. */
export type PairedFailureCounts = Readonly<Record<string, number>>;

export type PairedFelt = {
  readonly pairs: number;
  readonly candidate: number;
  readonly reference: number;
};

/** A Bloom filter of units, by level: base64. */
export type UnitBits = Readonly<Record<string, string>>;

/** Units that come again and can count in one rollout: then their filter is full. */
export const COUNTED_UNITS_MAX = 87_040;

/**
 * Counts by block of time, keyed `<length>:<number>`: the length of the block in milliseconds, and how many such lengths it begins
 * after 1970, by a wall clock that is read once per process and followed by the monotonic clock. The newest block may still grow;
 * requests are counted in the order of their start, so the others have ended.
 */
export type BlockCounts<Counts extends readonly number[]> = Readonly<Record<string, Counts>>;

/** Requests of the candidate, how many of them were slow, requests of the reference, how many of them were slow. */
export type SlowCounts = readonly [
  candidate: number,
  candidateSlow: number,
  reference: number,
  referenceSlow: number,
];

/** Twinned runs, and those in which the candidate was slower. */
export type PairCounts = readonly [pairs: number, slower: number];

export type Evidence = {
  readonly mirror: MirrorCounts;
  /** Candidate against the live answer, every compared pair: d(candidate, stable). */
  readonly disagreement: DifferenceCounts;
  /** Twinned pairs only: d(candidate, stable) - d(twin, stable). */
  readonly excessDisagreement: DifferenceCounts;
  /** Under rules 1: failures of candidate minus failures of stable, per pair: -1, 0 or 1. */
  readonly pairedErrors: DifferenceCounts;
  /** Since rules 2: failed answers of candidate and stable, by unit. */
  readonly pairedFailures?: PairedFailureCounts;
  /** Since rules 2: pairs that these come from, and those that each version failed, whole runs included. */
  readonly pairedFelt?: PairedFelt;
  /** Twinned runs, and those in which the candidate took longer than the metric's margin allows. */
  readonly pairedLatency: { readonly pairs: number; readonly slower: number };
  /** The same by block of time. Absent in records of the first rules, as is `slowBlocks`. */
  readonly latencyBlocks?: BlockCounts<PairCounts>;
  /** Labelled pairs: loss of candidate minus loss of stable. Slices are keyed as `sliceKey` writes them. */
  readonly labelledLoss: DifferenceCounts;
  readonly labelledLossBySlice: Readonly<Record<string, DifferenceCounts>>;
  /** Labels that found their pair, and those that did not. */
  readonly labels: { readonly joined: number; readonly unmatched: number };
  /** Since rules 2: when labels came, and for which pairs. */
  readonly labelling?: LabelEvidence | undefined;
  /** Where the label queue draws: labelled loss of every pair, by its draw. */
  readonly drawnLoss?: DrawnLossEvidence | undefined;
  /** Since rules 2, where `liveLoss` is judged. */
  readonly liveLoss?: LiveLossEvidence | undefined;
  /** Where the anchor answers copies too. */
  readonly anchor?: AnchorEvidence | undefined;
  readonly live: Readonly<Record<string, ExposureCounts>>;
  /** Since rules 2, of slices that had a request, keyed as `sliceKey` writes them. Absent where there is none. */
  readonly bySlice?: Readonly<Record<string, SliceEvidence>>;
  /** Salted hashes of units that may come again and have had their first error, or their first slow request. */
  readonly erredUnits: readonly string[];
  readonly slowUnits: readonly string[];
  /** Live requests at equal shares by block of time, from when there was a threshold to be slower than. */
  readonly slowBlocks?: BlockCounts<SlowCounts>;
  /** Since rules 2: failed shares of live units, keyed as `live` is. */
  readonly liveErrors?: Readonly<Record<string, ExposedCounts>>;
  /** Since rules 2: requests that units' shares come from, and failed ones, those under the cover of an event included. */
  readonly liveFelt?: Readonly<Record<string, FeltByArm>>;
  /** Since rules 2: units that may come again and have counted, of live requests and of mirrored pairs. */
  readonly liveUnits?: UnitBits;
  readonly pairUnits?: UnitBits;
  /** Wall clock, milliseconds: the last live request that could count. Absent before the first, and in records of rules 1. */
  readonly latestMs?: number;
  /** Absent in what was gathered under rules 1. */
  readonly failures?: FailuresByArm;
  /** Absent under rules 1. */
  readonly pairedTimeouts?: PairedTimeouts;
};

/** Failed requests of each arm by kind, in shadow and of live traffic. Shown to people; no decision reads it. */
export type FailuresByArm = {
  readonly candidate: FailureCounts;
  readonly reference: FailureCounts;
};

/**
 * Runs of the shadow host that took longer than the live caller would have waited, of candidate and twin, by unit. In `all` a late run
 * without a twin is the candidate's, although it may be the machine's.
 */
export type PairedTimeouts = {
  readonly all: PairedFailureCounts;
  readonly twinned: PairedFailureCounts;
};

/** What the requests of one slice showed: each part counts what the evidence's own of that name counts of all. */
export type SliceEvidence = Pick<Evidence, 'disagreement' | 'excessDisagreement'> & {
  readonly pairedFailures: PairedFailureCounts;
  readonly pairedFelt: PairedFelt;
  readonly liveErrors: Readonly<Record<string, ExposedCounts>>;
  readonly liveFelt: Readonly<Record<string, FeltByArm>>;
  /** At equal shares, as the blocks of `slowBlocks` count them, added. */
  readonly slow: SlowCounts;
};

/** Labels of live answers whose window has ended. */
export type LiveLossEvidence = {
  /** Loss of a unit of the candidate minus the mean loss of the reference's units before it. */
  readonly differences: DifferenceCounts;
  /** By exposure, `<candidateBp>:<referenceBp>`. */
  readonly places: Readonly<Record<string, LiveLabelled>>;
  /** Wall clock: units that began until then are counted. */
  readonly countedUntilMs: number;
  readonly units: UnitBits;
};

/** How often labels come for each arm. `blocks` match the candidate's units with the reference's before; absent in records of before. */
export type LiveLabelled = {
  readonly candidate: LabelledUnits;
  readonly reference: LabelledUnits;
  readonly blocks?: CoverageBlocks;
};

/** Pairs that the anchor was asked for, and what labels say of those that it answered. */
export type AnchorEvidence = {
  readonly answered: number;
  /** It was there and gave no answer; such a pair says nothing of it. */
  readonly failed: number;
  /** d(candidate, anchor), each pair. Shown; no decision reads it. */
  readonly disagreement: DifferenceCounts;
  /** Loss of the candidate minus that of the anchor, as `labelledLoss` counts it. */
  readonly loss: DifferenceCounts;
  readonly lossBySlice: Readonly<Record<string, DifferenceCounts>>;
  /** As of LabelEvidence, of the units that `loss` counts; units differ where candidate and anchor do. */
  readonly coverage: Readonly<Record<string, LabelCoverage>>;
  /** As of Evidence, of the units that the anchor answered. */
  readonly drawnLoss?: DrawnLossEvidence;
};

/** A slice: every attribute must have the given value. */
export type Slice = Readonly<Record<string, string>>;

/** `garment=upper,tone=dark`: attributes in alphabetical order. */
export function sliceKey(slice: Slice): string {
  return Object.keys(slice)
    .sort()
    .map((name) => `${name}=${slice[name]}`)
    .join(',');
}

/** True if a request with these attributes belongs to the slice. */
export function inSlice(attributes: Readonly<Record<string, string>>, slice: Slice): boolean {
  return Object.entries(slice).every(([name, value]) => attributes[name] === value);
}

export const NO_DIFFERENCES: DifferenceCounts = { down: {}, up: {} };

export const NO_EVIDENCE: Evidence = {
  mirror: {
    eligible: 0,
    notSampled: 0,
    compared: 0,
    dropped: {},
    timedOut: 0,
    failed: 0,
    byLoad: {},
  },
  disagreement: NO_DIFFERENCES,
  excessDisagreement: NO_DIFFERENCES,
  pairedErrors: NO_DIFFERENCES,
  pairedFailures: {},
  pairedFelt: { pairs: 0, candidate: 0, reference: 0 },
  pairedLatency: { pairs: 0, slower: 0 },
  latencyBlocks: {},
  labelledLoss: NO_DIFFERENCES,
  labelledLossBySlice: {},
  labels: { joined: 0, unmatched: 0 },
  live: {},
  erredUnits: [],
  slowUnits: [],
  slowBlocks: {},
  liveErrors: {},
  liveFelt: {},
  liveUnits: {},
  pairUnits: {},
  failures: { candidate: {}, reference: {} },
  pairedTimeouts: { all: {}, twinned: {} },
};

export const NO_ANCHOR: AnchorEvidence = {
  answered: 0,
  failed: 0,
  disagreement: NO_DIFFERENCES,
  loss: NO_DIFFERENCES,
  lossBySlice: {},
  coverage: {},
};
