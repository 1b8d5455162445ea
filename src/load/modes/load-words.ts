import { counted, msText, numberText, percentText } from '../../core/text.ts';
import type { LoadFigures, LoadReport } from '../nouns/load-report.ts';
import type { Bench } from './bench.ts';

/** How many kinds of errors a line names. */
const KINDS_NAMED = 3;

/** A rate: `12.5/s`, `1,840/s`. */
export function perSecondText(perSecond: number): string {
  return `${numberText(perSecond)}/s`;
}

/** How many failed, by kind, the most frequent first: `12 failed (503: 10, timeout: 2)`. */
export function errorsText(figures: LoadFigures): string {
  const kinds = Object.entries(figures.errors).sort(([, a], [, b]) => b - a);
  const count = kinds.reduce((sum, [, errors]) => sum + errors, 0);
  if (count === 0) return 'none failed';
  const named = kinds.slice(0, KINDS_NAMED).map(([kind, errors]) => `${kind}: ${errors}`);
  const more = kinds.length > KINDS_NAMED ? ', and others' : '';
  return `${count} failed (${named.join(', ')}${more})`;
}

/** The share of a load's requests that were answered well and in time; 0 where none was sent. */
export function goodRatio({ good, offered }: LoadFigures): number {
  return offered === 0 ? 0 : good / offered;
}

/** Prints what a load measured in one line, and one more line for each warning. */
export function printLoad(bench: Bench, what: string, report: LoadReport): void {
  const { measured, deadlineMs } = report;
  const { latency } = measured;
  const latencies =
    latency.count === 0
      ? 'no answer'
      : `p50 ${msText(latency.p50Ms)}, p99 ${msText(latency.p99Ms)}`;
  bench.print(
    `${what}: ${counted(measured.offered, 'request')}, ${percentText(goodRatio(measured))} good within ` +
      `${msText(deadlineMs)} (${perSecondText(measured.goodPerSecond)}), ${latencies}, ${errorsText(measured)}.`,
  );
  for (const warning of report.warnings) bench.print(`  Warning: ${warning}`);
}
