import { durationText, msText, numberText, percentText } from '../../core/text.ts';
import type { Drift, SoakResult } from '../nouns/result.ts';
import { runHeadline, runTables } from './run-rows.ts';
import { type Table, table } from './table.ts';

export function soakTables(result: SoakResult): readonly Table[] {
  return [driftTable(result), ...runTables(result)];
}

export function soakHeadline(result: SoakResult): string {
  const { report, drifts } = result;
  const { durationMs, warmupMs } = report;
  const moved = drifts.filter((drift) => drift.drifts);
  const over = `Over ${durationText(durationMs - warmupMs)}`;
  const drifted =
    moved.length === 0
      ? `${over} ${drifts.length === 0 ? 'no figure could be followed' : `${listText(drifts.map(({ figure }) => figure))} did not drift`}`
      : `${over} ${listText(moved.map((drift) => `${drift.figure} drifted from ${driftValue(drift, 'from')} to ${driftValue(drift, 'to')}`))}`;
  return `${drifted}. ${runHeadline(result)}`;
}

function driftTable(result: SoakResult): Table {
  const { drifts } = result;
  return table(
    'Drift over the measured time',
    [
      ['Figure', 'At the start', 'At the end', 'Change', 'p-value', 'Finding'],
      ...drifts.map((drift) => [
        drift.figure,
        driftValue(drift, 'from'),
        driftValue(drift, 'to'),
        changeText(drift),
        pText(drift.pValue),
        drift.drifts ? 'drifts' : 'no drift shown',
      ]),
    ],
    [
      'Start and end as fitted by the slope of Theil and Sen, or, where the line does not show a step, of the first and the last fifth; the p-value is of the test of Mann and Kendall.',
      memoryNote(result),
    ],
  );
}

function memoryNote({ report: { timeline }, memoryMiB }: SoakResult): string | undefined {
  if (memoryMiB === undefined) return 'No process was watched, so nothing is said of memory.';
  const firstMissing = memoryMiB.indexOf(null);
  if (firstMissing < 0) return undefined;
  const missing = memoryMiB.filter((mib) => mib === null).length;
  const sinceMs = timeline[firstMissing]?.fromMs ?? 0;
  return `Memory could not be read in ${missing} of ${memoryMiB.length} intervals, first after ${durationText(sinceMs)}: did the process that was watched end?`;
}

function driftValue(drift: Drift, end: 'from' | 'to'): string {
  const value = drift[end];
  if (drift.unit === 'ratio') return percentText(value);
  return drift.unit === 'ms' ? msText(value) : `${numberText(value)} MiB`;
}

function changeText({ from, to }: Drift): string {
  if (from === 0 || !Number.isFinite(to / from)) return '-';
  const percent = 100 * (to / from - 1);
  return `${percent > 0 ? '+' : ''}${percent.toFixed(1)} %`;
}

function pText(pValue: number): string {
  return pValue < 0.001 ? 'below 0.001' : pValue.toFixed(3);
}

function listText(words: readonly string[]): string {
  return words.length < 2
    ? (words[0] ?? '')
    : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
