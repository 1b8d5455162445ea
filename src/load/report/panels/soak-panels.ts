import { numberText, percentText } from '../../../core/text.ts';
import { lineDrawing } from '../../../plots/line-plot.ts';
import type { Series } from '../../../plots/lines.ts';
import type { Interval } from '../../nouns/load-report.ts';
import type { Drift, SoakResult } from '../../nouns/result.ts';
import type { Panel } from '../panel.ts';
import { errorCount } from '../run-rows.ts';
import { loadPanels, msAxis } from './load-panels.ts';
import { timeAxis } from './time-axis.ts';

const TITLES = {
  p50: 'p50 over time',
  p99: 'p99 over time',
  errors: 'Failed requests over time',
  memory: 'Memory over time',
} as const satisfies Record<Drift['figure'], string>;

/** Each figure with the trend that was fitted to it, then what every load shows. */
export function soakPanels(result: SoakResult): readonly Panel[] {
  const { report, drifts } = result;
  if (report.timeline.length === 0) return loadPanels(result);
  return [...drifts.map((drift) => driftPanel(result, drift)), ...loadPanels(result)];
}

function driftPanel(result: SoakResult, drift: Drift): Panel {
  const { report } = result;
  const { x, bands, middle, at } = timeAxis(report);
  const factor = drift.unit === 'ratio' ? 100 : 1;
  const points = report.timeline.map((interval, place) => {
    const value = figureAt(drift.figure, interval, result.memoryMiB?.[place] ?? undefined);
    return [middle(interval), factor * value] as const;
  });
  const trend: Series = {
    name: 'trend',
    tone: drift.drifts ? 'bad' : 'quiet',
    look: 'dashed',
    points: [
      [at(report.warmupMs), factor * drift.from],
      [at(report.durationMs), factor * drift.to],
    ],
  };
  const unit = drift.unit === 'ratio' ? ' %' : ` ${drift.unit}`;
  const label = { ms: 'milliseconds', ratio: 'percent', MiB: 'MiB' }[drift.unit];
  return {
    caption: captionOf(drift),
    drawing: lineDrawing({
      title: TITLES[drift.figure],
      description: `${TITLES[drift.figure]}, in ${label}. ${captionOf(drift)}`,
      x,
      y:
        drift.unit === 'ms'
          ? msAxis(
              label,
              points.map(([, y]) => y),
            )
          : { label, scale: 'linear', from: 0, unit },
      series: [{ name: drift.figure, tone: 'one', points }, trend],
      bands,
    }),
  };
}

function captionOf({ drifts, from, to, unit, pValue }: Drift): string {
  const text = (value: number): string =>
    unit === 'ratio' ? percentText(value) : `${numberText(value)} ${unit}`;
  const p = pValue < 0.001 ? 'p below 0.001' : `p = ${pValue.toFixed(3)}`;
  return `${drifts ? 'Drifts' : 'No drift shown'}: from ${text(from)} to ${text(to)} (${p}).`;
}

function figureAt(
  figure: Drift['figure'],
  interval: Interval,
  memoryMiB: number | undefined,
): number {
  const { latency, offered } = interval;
  switch (figure) {
    case 'p50':
      return latency.count === 0 ? Number.NaN : latency.p50Ms;
    case 'p99':
      return latency.count === 0 ? Number.NaN : latency.p99Ms;
    case 'errors':
      return offered === 0 ? Number.NaN : errorCount(interval) / offered;
    case 'memory':
      return memoryMiB ?? Number.NaN;
  }
}
