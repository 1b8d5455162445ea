import { limitText, msText, numberText, percentText, quantileText } from '../../../core/text.ts';
import { lineDrawing } from '../../../plots/line-plot.ts';
import type { LinePlot } from '../../../plots/lines.ts';
import type { LoadFigures } from '../../nouns/load-report.ts';
import type { SweepResult } from '../../nouns/result.ts';
import type { KeyFigure, Panel } from '../panel.ts';
import { percentilePanel, splitPanel } from './load-panels.ts';

export function sweepPanels(result: SweepResult): readonly Panel[] {
  const { points } = result;
  const answered = points.filter(({ report }) => report.measured.ok > 0);
  const knee = points.find(({ perSecond }) => perSecond === result.kneePerSecond);
  const split = answered.map((point) => ({
    ...point,
    name: `${numberText(point.report.measured.offeredPerSecond)} a second`,
  }));
  return [
    throughputPanel(result),
    latencyPanel(result),
    ...(split.length === 0 ? [] : [splitPanel(...split)]),
    ...(knee === undefined
      ? []
      : [titled(percentilePanel(knee.report), 'Latency by percentile at the knee')]),
  ];
}

export function sweepKeys({
  points,
  capacityPerSecond,
  kneePerSecond,
}: SweepResult): readonly KeyFigure[] {
  const knee = points.find(({ perSecond }) => perSecond === kneePerSecond)?.report.measured;
  const last = points.at(-1)?.report.measured;
  const best = Math.max(0, ...points.map(({ report }) => report.measured.goodPerSecond));
  return [
    { name: 'Capacity of a closed loop', value: numberText(capacityPerSecond), unit: 'a second' },
    { name: 'Knee', value: numberText(kneePerSecond ?? Number.NaN), unit: 'a second' },
    {
      name: '99 % within, at the knee',
      value: knee === undefined ? '-' : msText(knee.latency.p99Ms),
      unit: '',
    },
    { name: 'Best good rate', value: numberText(best), unit: 'a second' },
    {
      name: 'Of it left at the most load',
      value: last === undefined || best === 0 ? '-' : percentText(last.goodPerSecond / best),
      unit: '',
    },
  ];
}

function titled(panel: Panel, title: string): Panel {
  return { ...panel, drawing: { ...panel.drawing, title } };
}

function throughputPanel(result: SweepResult): Panel {
  const { kneeGoodRatio, points } = result;
  const offered = offeredRates(result);
  const most = offered.reduce((a, b) => Math.max(a, b), 0);
  const answeredMost = points.reduce(
    (max, { report }) => Math.max(max, report.measured.okPerSecond),
    0,
  );
  // The ideal would leave no room for the rest where the load goes far beyond the capacity.
  const ideal = Math.min(most, answeredMost * 1.35 || most);
  return {
    caption: `A server that copes follows the dashed line. The knee is the highest rate of which ${quantileText(kneeGoodRatio)} was answered in time, with all lower ones too.`,
    drawing: lineDrawing({
      title: 'Throughput over load',
      description: `Answered and good requests a second at ${points.length} offered rates up to ${numberText(most)} a second.`,
      x: loadAxis(most),
      y: { label: 'requests a second', scale: 'linear', from: 0 },
      series: [
        {
          name: 'ideal',
          tone: 'quiet',
          look: 'dashed',
          points: [
            [0, 0],
            [ideal, ideal],
          ],
        },
        { name: 'answered', tone: 'one', points: curve(result, ({ okPerSecond }) => okPerSecond) },
        {
          name: 'good',
          tone: 'three',
          shape: 'square',
          points: curve(result, ({ goodPerSecond }) => goodPerSecond),
        },
      ],
      marks: loadMarks(result),
    }),
  };
}

function latencyPanel(result: SweepResult): Panel {
  const deadlineMs = result.points[0]?.report.deadlineMs;
  const latency = (key: 'p50Ms' | 'p99Ms') =>
    curve(result, (measured) => (measured.ok === 0 ? Number.NaN : measured.latency[key]));
  const most = offeredRates(result).reduce((a, b) => Math.max(a, b), 0);
  return {
    caption:
      'Latency of the answers from their intended start. What failed has none and is not in it.',
    drawing: lineDrawing({
      title: 'Latency over load',
      description: 'p50 and p99 in milliseconds at each offered rate, on a log scale.',
      x: loadAxis(most),
      y: { label: 'milliseconds, log scale', scale: 'log', unit: ' ms' },
      series: [
        { name: 'p99', tone: 'one', points: latency('p99Ms') },
        { name: 'p50', tone: 'three', shape: 'square', points: latency('p50Ms') },
      ],
      marks: [
        ...loadMarks(result),
        ...(deadlineMs === undefined
          ? []
          : [{ axis: 'y' as const, at: deadlineMs, name: `deadline ${limitText(deadlineMs)}` }]),
      ],
    }),
  };
}

function loadAxis(most: number): LinePlot['x'] {
  return {
    label: 'requests offered a second',
    scale: 'linear',
    from: 0,
    to: most * 1.03 || 1,
    unit: '/s',
  };
}

function loadMarks({
  kneePerSecond,
  capacityPerSecond,
}: SweepResult): NonNullable<LinePlot['marks']> {
  const capacity = { axis: 'x' as const, at: capacityPerSecond, name: 'capacity' };
  return kneePerSecond === undefined
    ? [capacity]
    : [{ axis: 'x', at: kneePerSecond, name: `knee ${numberText(kneePerSecond)}/s` }, capacity];
}

function offeredRates({ points }: SweepResult): readonly number[] {
  return points.map(({ report }) => report.measured.offeredPerSecond);
}

function curve(
  { points }: SweepResult,
  value: (measured: LoadFigures) => number,
): readonly (readonly [number, number])[] {
  return points
    .map(({ report }) => [report.measured.offeredPerSecond, value(report.measured)] as const)
    .sort(([a], [b]) => a - b);
}
