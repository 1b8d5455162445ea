import type { Clock } from '../core/clock.ts';
import type { Comparison } from '../core/comparison.ts';
import type { AnchorEvidence, Evidence, MirrorCounts, Slice } from '../core/evidence.ts';
import type { Lapse, LiveObservation, MirrorEvent } from '../core/messages.ts';
import type { Margins, RulesVersion } from '../core/rollout.ts';
import type { UnitRule } from '../core/unit.ts';
import type { OnFailure } from './failure-tally.ts';

/** Folds what happens into evidence. One per rollout and process; merge windows with `mergeEvidence`. */
export type Window = {
  /** `attributes`: of the pair's request, which say which slices it is in; absent: none. */
  readonly addComparison: (
    comparison: Comparison,
    attributes?: Readonly<Record<string, string>>,
  ) => void;
  readonly countMirror: (event: MirrorEvent) => void;
  readonly addLapse: (lapse: Lapse) => void;
  readonly addLive: (live: LiveObservation) => void;
  /** What became of eligible requests of the mirror: that part of the snapshot alone. */
  readonly mirror: () => MirrorCounts;
  /** Plain JSON in one key order: equal evidence has equal text. */
  readonly snapshot: () => WindowEvidence;
};

/** Everything but what comes of labels, which wait elsewhere. */
export type WindowEvidence = Omit<Evidence, keyof LabelledEvidence>;

/** What comes of labels. */
export type LabelledEvidence = Pick<
  Evidence,
  'labelledLoss' | 'labelledLossBySlice' | 'labels' | 'labelling' | 'drawnLoss'
> & {
  /** Of pairs that the anchor answered; absent where none is to. */
  readonly anchor?: Pick<AnchorEvidence, 'loss' | 'lossBySlice' | 'coverage' | 'drawnLoss'>;
};

export type WindowOptions = {
  /** Of the rollout: by which rules its evidence is judged, and so in which form it is gathered. */
  readonly rules: RulesVersion;
  /** Of the rollout; units appear in evidence only as hashes under it. */
  readonly salt: string;
  readonly latencyMargin: Margins['pairedLatency'];
  readonly slowQuantile: number;
  /** Counted by themselves as well, since rules 2; absent: none are. */
  readonly slices?: readonly Slice[];
  /** What one value comes from; rules 1 have rules of their own. */
  readonly unit: UnitRule;
  /** Lengths of the blocks of time that the two latencies are counted in, whole milliseconds. */
  readonly slowBlockMs: number;
  readonly latencyBlockMs: number;
  /** Says in which block a request began, and a pair came in. Its wall time is read once. */
  readonly clock: Clock;
  /** What was seen before; NO_EVIDENCE for a new rollout. */
  readonly from: Evidence;
  /** Called for each failed request of an arm, under rules 2 and later. */
  readonly onFailure?: OnFailure;
};
