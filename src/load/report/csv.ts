import type { LatencySummary, LoadFigures } from '../nouns/load-report.ts';
import type { BenchRecord, Measured, SoakResult } from '../nouns/result.ts';
import { errorCount } from './run-rows.ts';

type Cell = string | number | boolean | undefined;
type Row = Readonly<Record<string, Cell>>;

/**
 * One table of a record with all digits, as RFC 4180 has it: the time line of a run or a soak, the points of a sweep, the
 * blocks of a comparison, the trials of a search for a rate. Units are in the names of the columns.
 */
export function csvOf({ result }: BenchRecord): string {
  switch (result.mode) {
    case 'run':
      return csvText(timelineRows(result, undefined));
    case 'soak':
      return csvText(timelineRows(result, result.memoryMiB));
    case 'sweep':
      return csvText(
        result.points.map((point) => ({
          of_capacity_ratio: point.ofCapacity,
          target_per_s: point.perSecond,
          is_knee: point.perSecond === result.kneePerSecond,
          ...loadCells(point),
        })),
      );
    case 'compare':
      return csvText(
        result.blocks.map((block) => ({ round: block.round, arm: block.arm, ...loadCells(block) })),
      );
    case 'slo':
      return csvText(
        result.trials.map((trial) => ({
          stage: trial.stage,
          target_per_s: trial.perSecond,
          requests: trial.requests,
          late_requests: trial.late,
          late_max_requests: trial.lateMax,
          verdict: trial.verdict,
          ...loadCells(trial),
        })),
      );
  }
}

/** Rows of cells, each ended by CR LF; a cell is quoted where it holds what would end it. */
export function csvText(rows: readonly Row[]): string {
  const names = Object.keys(rows[0] ?? {});
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return lines.map((cells) => `${cells.map(cellText).join(',')}\r\n`).join('');
}

function cellText(cell: Cell): string {
  if (cell === undefined || (typeof cell === 'number' && !Number.isFinite(cell))) return '';
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function timelineRows({ report }: Measured, memoryMiB: SoakResult['memoryMiB']): readonly Row[] {
  return report.timeline.map((interval, place) => ({
    from_ms: interval.fromMs,
    for_ms: interval.forMs,
    is_warmup: interval.warmup,
    ...figureCells(interval),
    ...(memoryMiB === undefined ? {} : { memory_mib: memoryMiB[place] ?? undefined }),
  }));
}

function loadCells({ report, server }: Measured): Row {
  return {
    ...figureCells(report.measured),
    answers_per_s: report.answersPerSecond,
    server_queue_ms: server?.queueMs,
    server_compute_ms: server?.computeMs,
    server_requests_per_run: server?.requestsPerRun,
    warnings: report.warnings.join(' '),
  };
}

function figureCells(figures: LoadFigures): Row {
  return {
    offered_requests: figures.offered,
    ok_requests: figures.ok,
    good_requests: figures.good,
    error_requests: errorCount(figures),
    offered_per_s: figures.offeredPerSecond,
    ok_per_s: figures.okPerSecond,
    good_per_s: figures.goodPerSecond,
    ...latencyCells('latency', figures.latency),
    ...latencyCells('service', figures.service),
    lag_p99_ms: figures.lag.count === 0 ? undefined : figures.lag.p99Ms,
    errors: Object.entries(figures.errors)
      .map(([kind, count]) => `${kind}: ${count}`)
      .join('; '),
  };
}

/** Without an answer there is no latency, and 0 would be wrong. */
function latencyCells(name: string, summary: LatencySummary): Row {
  const ms = (value: number): number | undefined => (summary.count === 0 ? undefined : value);
  return {
    [`${name}_mean_ms`]: ms(summary.meanMs),
    [`${name}_p50_ms`]: ms(summary.p50Ms),
    [`${name}_p90_ms`]: ms(summary.p90Ms),
    [`${name}_p95_ms`]: ms(summary.p95Ms),
    [`${name}_p99_ms`]: ms(summary.p99Ms),
    [`${name}_p999_ms`]: ms(summary.p999Ms),
    [`${name}_max_ms`]: ms(summary.maxMs),
  };
}
