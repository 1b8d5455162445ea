import { counted, countText, durationText, msText, numberText } from '../../core/text.ts';
import type { LoadProgress } from '../nouns/load-report.ts';

/** What a view needs in addition to the progress; the caller keeps the history. */
export type LiveContext = {
  /** What is being measured now: `A, round 3 of 10`. Empty: nothing to say. */
  readonly name: string;
  /** undefined: a closed loop, which offers as much as is answered. */
  readonly offeredPerSecond: number | undefined;
  readonly inFlightMax: number;
  /** p99 of the last progresses in milliseconds, the oldest first, this one last. */
  readonly p99History: readonly number[];
  /** Characters of a terminal's line. */
  readonly columns: number;
};

/** A few plain lines for a terminal: how far the load is, and how it goes. */
export function liveLines(progress: LoadProgress, context: LiveContext): string[] {
  const { columns, name } = context;
  const lines = [
    ...(name === '' ? [] : [name]),
    `${progressBar(progress, columns)}  ${stageText(progress)}`,
    rateLine(progress, context),
    latencyLine(progress, context),
    flightLine(progress, context),
  ];
  return lines.map((line) => cut(line, columns));
}

const BAR_WIDTH_MAX = 40;

/** The bar gets the width that the words leave. */
function progressBar({ elapsedMs, durationMs }: LoadProgress, columns: number): string {
  const width = Math.max(8, Math.min(BAR_WIDTH_MAX, columns - 40));
  const done = durationMs > 0 ? Math.min(1, Math.max(0, elapsedMs / durationMs)) : 1;
  const full = Math.round(done * width);
  const percent = `${Math.floor(done * 100)} %`.padStart(5);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${percent}`;
}

function stageText({ elapsedMs, durationMs, warmup, inFlight, waiting }: LoadProgress): string {
  const outstanding = inFlight + waiting;
  if (elapsedMs >= durationMs)
    return outstanding > 0 ? `waiting for ${counted(outstanding, 'answer')}` : 'done';
  const left = `${durationText(Math.ceil((durationMs - elapsedMs) / 1000) * 1000)} left`;
  return warmup ? `warming up, ${left}` : left;
}

function rateLine({ answersPerSecond }: LoadProgress, { offeredPerSecond }: LiveContext): string {
  const rate = numberText(answersPerSecond).padStart(8);
  const of = offeredPerSecond === undefined ? '' : ` of ${numberText(offeredPerSecond)} offered`;
  return `answers  ${rate} /s${of}`;
}

function latencyLine(progress: LoadProgress, { p99History, columns }: LiveContext): string {
  const { p50Ms, p99Ms, answersPerSecond } = progress;
  const text = (ms: number): string => (answersPerSecond > 0 ? msText(ms) : '-');
  const figures = `latency  ${`p50 ${text(p50Ms)}`.padEnd(16)}${`p99 ${text(p99Ms)}`.padEnd(16)}`;
  return `${figures}${sparkline(p99History.slice(-Math.max(1, Math.min(30, columns - 42))))}`;
}

function flightLine(progress: LoadProgress, { inFlightMax }: LiveContext): string {
  const { inFlight, waiting, errors } = progress;
  const wait = waiting === 0 ? '' : `, ${countText(waiting)} waiting for room`;
  return `requests ${countText(inFlight).padStart(8)} of ${countText(inFlightMax)} in flight${wait}; ${counted(errors, 'error')}`;
}

const LEVELS = '▁▂▃▄▅▆▇█';

/** The values as little columns from 0 to the highest of them; a gap where there was nothing to measure. */
export function sparkline(values: readonly number[]): string {
  const most = values.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0);
  return values
    .map((value) => {
      if (!Number.isFinite(value) || value <= 0) return ' ';
      return LEVELS[Math.min(7, Math.floor((value / most) * 8))] ?? ' ';
    })
    .join('');
}

function cut(line: string, columns: number): string {
  const characters = [...line];
  return characters.length <= columns ? line : `${characters.slice(0, columns - 1).join('')}…`;
}
