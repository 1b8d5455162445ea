import type { KeptArrivals } from './kept-arrivals.ts';

/** Percentiles in milliseconds. Without a single answer all are 0 and `count` says so. */
export type LatencySummary = {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
};

/** Percentiles (0 to 100, rising) with their milliseconds, for plots: dense towards 100. */
export type PercentileCurve = readonly (readonly [percentile: number, ms: number])[];

/** What a stretch of a load saw. Requests belong to the stretch that they were meant to start in. */
export type LoadFigures = {
  readonly offered: number;
  /** Answered with success, right where that is checked, whenever the answer came. */
  readonly ok: number;
  /** `ok` within the deadline. */
  readonly good: number;
  /** All others by kind: `503`, `UNAVAILABLE`, `timeout`, `connection: ...`, `wrong answer`, ... */
  readonly errors: Readonly<Record<string, number>>;
  readonly offeredPerSecond: number;
  readonly okPerSecond: number;
  readonly goodPerSecond: number;
  /** Of `ok` answers, from the intended start to the whole answer: what a user would have felt. */
  readonly latency: LatencySummary;
  /** Of `ok` answers, from the sending to the whole answer: what a tool that waits for answers would show. */
  readonly service: LatencySummary;
  /** How late the generator sent requests for which there was room. Large: the figures say little about the server. */
  readonly lag: LatencySummary;
};

/** One interval of the time line, `fromMs` after the load's start. */
export type Interval = LoadFigures & {
  readonly fromMs: number;
  readonly forMs: number;
  readonly warmup: boolean;
};

/** What one load saw. Plain data: it is kept as JSON. */
export type LoadReport = {
  readonly arrivals: KeptArrivals;
  readonly seed: number;
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly deadlineMs: number;
  readonly inFlightMax: number;
  readonly processes: number;
  /** Of the measured time, warm-up excluded. */
  readonly measured: LoadFigures;
  readonly warmup: LoadFigures | undefined;
  /** Answers with success that came within the measured time, per second of it, whenever their requests had started. */
  readonly answersPerSecond: number;
  readonly latencyCurve: PercentileCurve;
  readonly serviceCurve: PercentileCurve;
  readonly timeline: readonly Interval[];
  /** Why the figures are invalid, in sentences; empty: the generator kept up with the offered load. */
  readonly warnings: readonly string[];
  /** What to know when reading the figures, in sentences: requests held back by `inFlightMax`, a load that ended early. */
  readonly notes?: readonly string[];
  /** The first few answers that were not what they must be, and how they differed. */
  readonly wrongExamples?: readonly string[];
};

/** The progress of a running load for a live view, a few times a second. */
export type LoadProgress = {
  readonly elapsedMs: number;
  readonly durationMs: number;
  readonly warmup: boolean;
  readonly inFlight: number;
  readonly waiting: number;
  /** Since the last progress. */
  readonly answersPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Since the start. */
  readonly errors: number;
};
