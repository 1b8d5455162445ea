import type { Arrivals } from '../nouns/arrivals.ts';
import { keptArrivals } from '../nouns/kept-arrivals.ts';
import type { Interval, LoadReport } from '../nouns/load-report.ts';
import { Tally, type TallyData } from './tally.ts';
import { stretchesOf } from './time-line.ts';
import { notesOf, warningsOf } from './warnings.ts';

/** What one process saw of a load, of which it had all or a part. Plain data. */
export type LoadShare = {
  /** By interval of the load's time line; undefined: no request was meant to start in it. */
  readonly tallies: readonly (TallyData | undefined)[];
  /** Successful answers that came within the measured time. */
  readonly answersInTime: number;
  /** Requests of the measured time for which there was room, and which were not sent within the load's time. */
  readonly missed: number;
  /** Requests of the measured time that waited because as many as may be were in flight already. */
  readonly heldBack: number;
  readonly heldBackMs: number;
  readonly wrongExamples: readonly string[];
  /** Shorter than planned where the load was ended, or had nothing left to send. */
  readonly durationMs: number;
  /** The share of the time in which the process's event loop had something to do; undefined: it was not measured. */
  readonly busyRatio?: number;
};

/** What a report says of the load itself. */
export type LoadFacts = {
  readonly arrivals: Arrivals;
  readonly seed: number;
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly deadlineMs: number;
  readonly inFlightMax: number;
};

const WRONG_EXAMPLES_MAX = 5;

/** Puts together what the processes of one load saw. `load` may say more than its facts. */
export function reportOf(load: LoadFacts, shares: readonly LoadShare[]): LoadReport {
  const { arrivals, seed, deadlineMs, inFlightMax } = load;
  const sum = (count: (share: LoadShare) => number): number =>
    shares.reduce((total, share) => total + count(share), 0);
  const durationMs = Math.max(0, ...shares.map((share) => share.durationMs));
  const { timeline, warmup, measured } = mergeTallies(load, shares, durationMs);
  const warmupMs = Math.min(load.warmupMs, durationMs);
  const measuredMs = durationMs - warmupMs;
  const figures = measured.figures(measuredMs);
  const wrongExamples = shares.flatMap((share) => share.wrongExamples).slice(0, WRONG_EXAMPLES_MAX);
  const seen = {
    figures,
    isOpen: arrivals.kind !== 'closed',
    busyRatio: Math.max(0, ...shares.map((share) => share.busyRatio ?? 0)),
    missed: sum((share) => share.missed),
    heldBack: sum((share) => share.heldBack),
    heldBackMs: sum((share) => share.heldBackMs),
    inFlightMax,
    durationMs,
    plannedMs: load.durationMs,
  };
  return {
    arrivals: keptArrivals(arrivals),
    seed,
    durationMs,
    warmupMs,
    deadlineMs,
    inFlightMax,
    processes: shares.length,
    measured: figures,
    warmup: warmupMs > 0 ? warmup.figures(warmupMs) : undefined,
    answersPerSecond:
      measuredMs > 0 ? (1000 * sum((share) => share.answersInTime)) / measuredMs : 0,
    latencyCurve: measured.latency.curve(),
    serviceCurve: measured.service.curve(),
    timeline,
    warnings: warningsOf(seen),
    notes: notesOf(seen),
    ...(wrongExamples.length > 0 ? { wrongExamples } : {}),
  };
}

function mergeTallies(
  load: LoadFacts,
  shares: readonly LoadShare[],
  durationMs: number,
): { timeline: Interval[]; warmup: Tally; measured: Tally } {
  const [warmup, measured] = [new Tally(), new Tally()];
  const timeline: Interval[] = [];
  for (const [place, stretch] of stretchesOf(load).entries()) {
    const tally = new Tally();
    for (const share of shares) {
      const data = share.tallies[place];
      if (!data) continue;
      tally.add(data);
      (stretch.warmup ? warmup : measured).add(data);
    }
    const forMs = Math.min(stretch.forMs, durationMs - stretch.fromMs);
    if (forMs > 0) timeline.push({ ...stretch, forMs, ...tally.figures(forMs) });
  }
  return { timeline, warmup, measured };
}
