import { durationText, numberText } from '../../core/text.ts';
import { endsOf, mannKendallTest, type Point, theilSenLine } from '../../stats/trend.ts';
import { arrivalsText } from '../nouns/arrivals-text.ts';
import { keptArrivals } from '../nouns/kept-arrivals.ts';
import type { LoadReport, Interval as Stretch } from '../nouns/load-report.ts';
import type { Drift, SoakResult } from '../nouns/result.ts';
import { type Bench, type LoadOrder, loadOnce } from './bench.ts';
import { printLoad } from './load-words.ts';
import { MemorySamples } from './memory-samples.ts';
import { checkLengths, checkNumber } from './option-checks.ts';

export type SoakOptions = LoadOrder & {
  /** Resident memory of the process to be watched, MiB, as often as the time line has intervals; undefined: it cannot be read. */
  readonly sampleMemory?: (() => number | undefined) | undefined;
};

/** With fewer intervals the test's approximation is invalid. */
const INTERVALS_MIN = 10;
/** A load is cut into intervals of 100 ms or more, so a shorter one cannot have enough of them. */
const SOAK_MS_MIN = 2000;
const P_VALUE_MAX = 0.01;
const CHANGE_MIN = 0.1;
/** Of the measured time: what counts as its start, and as its end. */
const END_SHARE = 0.2;
/** The least base of a relative change: a tenth of it is too little to matter. */
const LEAST = { ms: 0.1, ratio: 0.01, MiB: 10 } as const;

type Figure = Pick<Drift, 'figure' | 'unit'> & { readonly points: readonly Point[] };

/**
 * A long load on A, and whether latency, errors and memory moved over its time. A figure drifts where two things hold: chance
 * alone would show such a trend less than once in a hundred times (Mann and Kendall), and the fitted line (Theil and Sen) moves
 * by more than a tenth over the soak, or the last fifth is so far from the first: of a server that dies after two thirds of it
 * most pairs of intervals have the same errors, and so the line rises nowhere. The first alone would cry at trifles, as many
 * intervals make any trifle significant, and neighbours that are alike make p too small; the second alone would cry at noise.
 * Throws a RangeError for lengths that make no sense, and an Error where fewer than ten intervals have figures; one that was
 * ended so early is reported without drifts.
 */
export async function soak(bench: Bench, options: SoakOptions): Promise<SoakResult> {
  const { sampleMemory, ...order } = options;
  checkLengths(order);
  checkNumber('durationMs', order.durationMs, { from: order.warmupMs + SOAK_MS_MIN });
  const length = durationText(order.durationMs);
  bench.print(
    `Soak: ${arrivalsText(keptArrivals(order.arrivals))}, for ${length}. Seed ${order.seed}.`,
  );
  const memory =
    sampleMemory === undefined ? undefined : new MemorySamples(sampleMemory, order.durationMs);
  const watch = (elapsedMs: number): void => memory?.watch(elapsedMs);
  const measured = await loadOnce(bench, 'A', { ...order, watch });
  const { report } = measured;
  printLoad(bench, 'Over the whole soak', report);
  const intervals = wholeIntervals(report);
  if (intervals.length < INTERVALS_MIN && report.durationMs >= order.durationMs) {
    throw new Error(
      `A drift takes ${INTERVALS_MIN} intervals with requests, and the load had ${intervals.length}: make it longer, or offer more.`,
    );
  }
  const memoryMiB = memory?.over(report.timeline).map((mib) => mib ?? null);
  const figures = [...loadFigures(intervals), ...memoryFigure(report, memoryMiB)];
  const drifts = figures.flatMap((figure) => {
    if (figure.points.length >= INTERVALS_MIN) return [driftOf(figure, report)];
    bench.print(`${figure.figure} is not judged: too few intervals have it.`);
    return [];
  });
  for (const drift of drifts) bench.print(driftText(drift));
  return { mode: 'soak', drifts, memoryMiB, ...measured };
}

/** Measured intervals with requests, without a stump at the end. */
function wholeIntervals({ timeline }: LoadReport): readonly Stretch[] {
  const measured = timeline.filter(({ warmup, offered }) => !warmup && offered > 0);
  const longest = measured.reduce((most, { forMs }) => Math.max(most, forMs), 0);
  return measured.filter(({ forMs }) => forMs >= longest / 2);
}

function loadFigures(intervals: readonly Stretch[]): readonly Figure[] {
  const answered = intervals.filter(({ latency }) => latency.count > 0);
  const at = (of: readonly Stretch[], y: (stretch: Stretch) => number): readonly Point[] =>
    of.map((stretch) => ({ x: middleOf(stretch), y: y(stretch) }));
  return [
    { figure: 'p50', unit: 'ms', points: at(answered, ({ latency }) => latency.p50Ms) },
    { figure: 'p99', unit: 'ms', points: at(answered, ({ latency }) => latency.p99Ms) },
    {
      figure: 'errors',
      unit: 'ratio',
      points: at(intervals, ({ ok, offered }) => 1 - ok / offered),
    },
  ];
}

function memoryFigure(
  { timeline }: LoadReport,
  memoryMiB: SoakResult['memoryMiB'],
): readonly Figure[] {
  if (memoryMiB === undefined) return [];
  const points = timeline.flatMap((stretch, place) => {
    const y = memoryMiB[place] ?? undefined;
    return stretch.warmup || y === undefined ? [] : [{ x: middleOf(stretch), y }];
  });
  return [{ figure: 'memory', unit: 'MiB', points }];
}

function middleOf({ fromMs, forMs }: Stretch): number {
  return fromMs + forMs / 2;
}

function driftOf({ figure, unit, points }: Figure, report: LoadReport): Drift {
  const { pValue } = mannKendallTest(points.map(({ y }) => y));
  const { slope, intercept } = theilSenLine(points);
  const line = {
    from: intercept + slope * report.warmupMs,
    to: intercept + slope * report.durationMs,
  };
  // Of a ratio the mean: that of failed requests is the share of all of them, even where half of the intervals show none.
  const ends = endsOf(points, END_SHARE, unit === 'ratio' ? 'mean' : 'median');
  const moves = ({ from, to }: typeof line): boolean =>
    Math.abs(to - from) / Math.max(Math.abs(from), LEAST[unit]) > CHANGE_MIN;
  const isTrend = pValue < P_VALUE_MAX;
  const shown = isTrend && !moves(line) && moves(ends) ? ends : line;
  return { figure, unit, ...shown, pValue, drifts: isTrend && moves(shown) };
}

function driftText({ figure, unit, from, to, pValue, drifts }: Drift): string {
  const moved = `from ${numberText(from)} to ${numberText(to)}${unit === 'ratio' ? '' : ` ${unit}`}`;
  return `${figure}: ${moved}, p ${numberText(pValue)}: ${drifts ? 'it drifts' : 'no drift'}.`;
}
