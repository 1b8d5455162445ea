import type { LoadReport } from './load-report.ts';
import type { ServerSplit, Target, TargetFacts } from './target.ts';

/** A load with what the server said of it; `server` is undefined where it keeps no statistics. */
export type Measured = { readonly report: LoadReport; readonly server: ServerSplit | undefined };

export type RunResult = { readonly mode: 'run' } & Measured;

/** Offered load rising from a tenth of the capacity to three times it. */
export type SweepResult = {
  readonly mode: 'sweep';
  /** The most answers per second that a closed loop got. */
  readonly capacityPerSecond: number;
  /** The closed loops that found the capacity, in the order that they ran. */
  readonly closed: readonly ({ readonly concurrency: number } & Measured)[];
  readonly points: readonly ({
    readonly ofCapacity: number;
    readonly perSecond: number;
  } & Measured)[];
  /** The highest offered rate of which at least `kneeGoodRatio` was answered well, with all lower ones too. */
  readonly kneePerSecond: number | undefined;
  readonly kneeGoodRatio: number;
};

/** An interval that holds the true value with probability `confidence`. */
export type ConfidenceInterval = {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
};

/** B over A in one figure, over interleaved blocks. `aaControl`: A over A in blocks of the same rounds. */
export type Ratio = {
  readonly figure: 'p50' | 'p90' | 'p99' | 'mean' | 'good rate' | 'answer rate';
  readonly ratio: ConfidenceInterval;
  readonly aaControl: ConfidenceInterval;
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** A difference needs both: the interval excludes 1, and the ratio lies outside the interval of the A/A control. */
  readonly finding: 'higher' | 'lower' | 'no clear difference';
};

export type CompareResult = {
  readonly mode: 'compare';
  readonly confidence: number;
  readonly rounds: number;
  readonly ratios: readonly Ratio[];
  /** False: the generator spoilt so many rounds that the ratios are of all of them, and no difference is shown. */
  readonly trusted: boolean;
  /** Figures and rounds that the ratios leave out, each with the reason, in sentences. */
  readonly leftOut: readonly string[];
  /** Every block in the order that it ran. */
  readonly blocks: readonly ({
    readonly arm: 'A' | 'B' | 'A again';
    readonly round: number;
  } & Measured)[];
};

/** One rate that was tried: `late` counts what was later than the limit, refused or wrong. */
export type SloTrial = {
  readonly stage: 'search' | 'proof';
  readonly perSecond: number;
  readonly requests: number;
  readonly late: number;
  /**
   * With so many requests, as many may be late for the claim to hold with the confidence asked of this trial; undefined: there
   * are too few requests to show it, even with none late.
   */
  readonly lateMax: number | undefined;
  readonly verdict: 'holds' | 'fails' | 'undecided' | 'invalid';
} & Measured;

export type SloResult = {
  readonly mode: 'slo';
  /** 0 to 1: the share of requests that must be answered within `withinMs`. */
  readonly quantile: number;
  readonly withinMs: number;
  readonly confidence: number;
  /** So many proofs share the allowed error, 1 - `confidence`: each is held to 1 - (1 - confidence) / proofsMax. */
  readonly proofsMax: number;
  /** The highest rate that is proven; undefined: none was. */
  readonly perSecond: number | undefined;
  readonly trials: readonly SloTrial[];
};

/** How a figure moved over a soak, by Mann and Kendall's test, and Theil and Sen's slope or the two ends. */
export type Drift = {
  readonly figure: 'p50' | 'p99' | 'errors' | 'memory';
  readonly unit: 'ms' | 'ratio' | 'MiB';
  /** At the start and at the end of the measured time: as fitted, or as found there where a step moved it and not the line. */
  readonly from: number;
  readonly to: number;
  readonly pValue: number;
  readonly drifts: boolean;
};

export type SoakResult = {
  readonly mode: 'soak';
  readonly drifts: readonly Drift[];
  /**
   * Resident memory of the watched process, MiB, at each interval of the time line, null where it could not be read; undefined:
   * none was watched.
   */
  readonly memoryMiB: readonly (number | null)[] | undefined;
} & Measured;

export type ModeResult = RunResult | SweepResult | CompareResult | SloResult | SoakResult;

/** What a bench was run on and how, so that it can be judged and repeated. */
export type BenchConditions = {
  /** The command line, as it can be given again: the seed is in it. */
  readonly command: string;
  readonly seed: number;
  readonly understudy: string;
  readonly takenAt: string;
  readonly machine: {
    readonly node: string;
    readonly platform: string;
    readonly processor: string;
    readonly cores: number;
    readonly memoryGiB: number;
  };
  /** A, and B where two are compared. */
  readonly targets: readonly (Target & TargetFacts)[];
  /** Where the inputs came from, in a few words: `synthetic`, `images of ./photos (24)`. */
  readonly inputs: string;
};

/** All that a bench keeps: as JSON, and in the pages made of it. */
export type BenchRecord = { readonly conditions: BenchConditions; readonly result: ModeResult };
