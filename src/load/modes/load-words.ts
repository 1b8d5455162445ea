import type { Arrivals, Rate } from '../arrivals.ts';
import type { LoadFigures, LoadReport } from '../report/load-report.ts';
import type { Bench } from './bench.ts';

/** Arrivals in a few words: `Poisson arrivals at 200/s`. */
export function arrivalsText(arrivals: Arrivals): string {
  switch (arrivals.kind) {
    case 'closed':
      return `a closed loop of ${arrivals.concurrency}`;
    case 'recorded':
      return `${arrivals.atMs.length} recorded arrivals`;
    case 'open': {
      const { kind } = arrivals.spacing;
      const spacing = { constant: 'evenly spaced', poisson: 'Poisson', bursty: 'bursty' }[kind];
      return `${spacing} arrivals at ${rateText(arrivals.rate)}`;
    }
  }
}

/** A number of requests a second: `12.5/s`, `1840/s`. */
export function perSecondText(perSecond: number): string {
  return `${digits(perSecond)}/s`;
}

/** Milliseconds: `0.512 ms`, `1840 ms`. */
export function msText(ms: number): string {
  return `${digits(ms)} ms`;
}

/** A share of 1 in per cent, never rounded up to 100 %. */
export function percentText(ratio: number): string {
  return `${Math.floor(ratio * 10_000) / 100} %`;
}

/** How many failed, by kind, the most frequent first: `12 failed (503: 10, timeout: 2)`. */
export function errorsText(figures: LoadFigures): string {
  const kinds = Object.entries(figures.errors).sort(([, a], [, b]) => b - a);
  const count = kinds.reduce((sum, [, errors]) => sum + errors, 0);
  if (count === 0) return 'none failed';
  const [most, rest] = [kinds.slice(0, 3), kinds.length - 3];
  const list = most.map(([kind, errors]) => `${kind}: ${errors}`).join(', ');
  return `${count} failed (${list}${rest > 0 ? `, ${rest} more kinds` : ''})`;
}

/** Tells what a load measured in one line, and in one more for each reason to doubt it. */
export function tellLoad(bench: Bench, what: string, report: LoadReport): void {
  const { measured, deadlineMs } = report;
  const { latency } = measured;
  const latencies =
    latency.count === 0
      ? 'no answer'
      : `p50 ${msText(latency.p50Ms)}, p99 ${msText(latency.p99Ms)}`;
  bench.tell(
    `${what}: ${measured.offered} requests, ${percentText(measured.good / Math.max(1, measured.offered))} good within ` +
      `${msText(deadlineMs)} (${perSecondText(measured.goodPerSecond)}), ${latencies}, ${errorsText(measured)}.`,
  );
  for (const doubt of report.doubts) bench.tell(`  Not to be trusted: ${doubt}`);
}

function rateText(rate: Rate): string {
  switch (rate.kind) {
    case 'steady':
      return perSecondText(rate.perSecond);
    case 'ramp':
      return `${digits(rate.fromPerSecond)} to ${perSecondText(rate.toPerSecond)}`;
    case 'steps':
      return rate.steps.map(({ perSecond }) => perSecondText(perSecond)).join(', then ');
  }
}

/** Three digits that count, and never an exponent. */
function digits(value: number): string {
  const size = Math.abs(value);
  return size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
