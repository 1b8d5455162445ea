import type { FailureKind } from './failure-kind.ts';
import type { UnitKey } from './unit.ts';

/** How two answers to one request differ, as text. The score is what counts. */
export type Difference =
  | 'same'
  | 'shape'
  | 'missing'
  | 'nonFinite'
  | 'values'
  | 'label'
  | 'distribution'
  | 'boxes'
  | 'failure';

/** What a pair showed. Scores are in [0, 1]: 0 is the same answer. */
export type Comparison = {
  readonly difference: Difference;
  /** Candidate against the live answer. Undefined where either failed: failures are counted, not scored. */
  readonly score: number | undefined;
  /** The greatest distance of a row, by output, in the unit of the output's family; absent: its comparator measures none. */
  readonly distances?: Readonly<Record<string, number>> | undefined;
  /** Twin against the live answer: how far stable differs from itself. Set on twinned pairs where both answered. */
  readonly noise: number | undefined;
  readonly stableFailed: boolean;
  readonly candidateFailed: boolean;
  /** In which way a side failed, an answer of NaN included where the other side's has none; undefined: it did not. */
  readonly stableFault?: FailureKind | undefined;
  readonly candidateFault?: FailureKind | undefined;
  /** Which run took longer than the live caller would have waited; undefined: it is not known. */
  readonly late?: Lateness | undefined;
  /** What the pair's request has in common with others, and when it was drawn for the mirror; absent: nothing. */
  readonly unit?: UnitKey;
  readonly drawnMs?: number;
  /** When the live answer was there. */
  readonly answeredMs?: number;
  /** The shadow host's run; pairs of one run fail together. */
  readonly shadowRun?: number | undefined;
  /** The two runs of a twinned pair, in milliseconds. */
  readonly latency:
    | {
        readonly candidateMs: number;
        readonly twinMs: number;
        /** Comparisons of one shadow host run share its two times, which count once. */
        readonly shadowRun: number | undefined;
      }
    | undefined;
};

/** Runs that took too long, by the clock of each run alone: what a request waited for counts for neither. */
export type Lateness = {
  readonly candidate: boolean;
  /** Undefined: the twin did not run. */
  readonly twin: boolean | undefined;
  /** Comparisons of one shadow host run share its times, which count once. */
  readonly shadowRun: number | undefined;
};

/** A delayed label joined to both answers: each side's loss in [0, 1]. A failed answer has loss 1. */
export type LabelledPair = {
  readonly attributes: Readonly<Record<string, string>>;
  readonly stableLoss: number;
  readonly candidateLoss: number;
};
