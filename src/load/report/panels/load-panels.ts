import { limitText, msText, numberText } from '../../../core/text.ts';
import { barDrawing } from '../../../plots/bar-plot.ts';
import { HALF_WIDTH, type Tone, WIDE_WIDTH } from '../../../plots/drawing.ts';
import { lineDrawing } from '../../../plots/line-plot.ts';
import type { Axis } from '../../../plots/lines.ts';
import type { Interval, LatencySummary, LoadReport } from '../../nouns/load-report.ts';
import type { Measured } from '../../nouns/result.ts';
import type { KeyFigure, Panel } from '../panel.ts';
import { errorCount, shareText, splitOf, waitNote } from '../run-rows.ts';
import { timeAxis } from './time-axis.ts';

/** What to see of one load: latency by percentile, over time, rates over time, and where the time went. */
export function loadPanels(measured: Measured): readonly Panel[] {
  const { report } = measured;
  const isAnswered = report.measured.ok > 0;
  return [
    ...(isAnswered ? [percentilePanel(report)] : []),
    ...timePanels(report),
    ...(isAnswered ? [splitPanel(measured)] : []),
  ];
}

/** A load without an answer has no latency to show. */
function timePanels(report: LoadReport): readonly Panel[] {
  const { timeline } = report;
  if (timeline.length === 0) return [];
  if (timeline.some(({ latency }) => latency.count > 0))
    return [latencyOverTime(report), ratesOverTime(report)];
  return [{ ...ratesOverTime(report, WIDE_WIDTH), wide: true }];
}

export function loadKeys({ report }: Measured): readonly KeyFigure[] {
  const { measured } = report;
  const { latency, ok } = measured;
  return [
    { name: 'Offered', value: numberText(measured.offeredPerSecond), unit: 'a second' },
    { name: 'Answered', value: numberText(measured.okPerSecond), unit: 'a second' },
    {
      name: `Good, within ${limitText(report.deadlineMs)}`,
      value: numberText(measured.goodPerSecond),
      unit: 'a second',
    },
    latencyKey('Half within', ok === 0 ? Number.NaN : latency.p50Ms),
    latencyKey('99 % within', ok === 0 ? Number.NaN : latency.p99Ms),
    { name: 'Failed', value: shareText(errorCount(measured), measured.offered), unit: '' },
  ];
}

function latencyKey(name: string, ms: number): KeyFigure {
  const [value = '', unit = ''] = msText(ms).split(' ');
  return { name, value, unit };
}

/** Linear from 0 where the values are alike; logarithmic where the small ones would lie on the edge. */
export function msAxis(label: string, values: readonly number[]): Axis {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  const least = positive.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = positive.reduce((a, b) => Math.max(a, b), 0);
  const isWide = most > 20 * least;
  return isWide
    ? { label: `${label}, log scale`, scale: 'log', unit: ' ms' }
    : { label, scale: 'linear', from: 0, unit: ' ms' };
}

export function percentilePanel(report: LoadReport): Panel {
  const { latencyCurve, serviceCurve, measured, deadlineMs, arrivals } = report;
  // Beyond 1 - 1/n there is only the most that was seen.
  const to = Math.max(90, Math.min(99.99, 100 - 100 / Math.max(10, measured.ok)));
  const within = (curve: LoadReport['latencyCurve']): LoadReport['latencyCurve'] =>
    curve.filter(([percentile]) => percentile <= to);
  const [felt, shown] = [within(latencyCurve), within(serviceCurve)];
  const values = [...felt, ...shown].map(([, ms]) => ms);
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const isNear = deadlineMs <= most * 5;
  const note = waitNote(report);
  const deadline = isNear ? '' : ` The deadline of ${limitText(deadlineMs)} lies above the plot.`;
  const caption =
    note ??
    'From the intended start and from the sending next to each other: hardly a request had to wait for its sending.';
  return {
    wide: true,
    caption: `${caption}${deadline}`,
    drawing: lineDrawing({
      title: 'Latency by percentile',
      width: WIDE_WIDTH,
      height: 320,
      description: `Milliseconds over the percentile, from the intended start and from the sending. ${summaryText('Intended', measured.latency)} ${summaryText('Sent', measured.service)}`,
      x: { label: 'percentile of the answers', scale: 'percentile', to, unit: ' %' },
      y: msAxis('milliseconds', isNear ? [...values, deadlineMs] : values),
      series: [
        { name: 'from start', tone: 'one', points: felt, shape: 'none' },
        ...(arrivals.kind === 'closed'
          ? []
          : [
              {
                name: 'from sending',
                tone: 'two' as const,
                points: shown,
                look: 'dashed' as const,
              },
            ]),
      ],
      marks: isNear
        ? [{ axis: 'y', at: deadlineMs, name: `deadline ${limitText(deadlineMs)}` }]
        : [],
    }),
  };
}

function latencyOverTime(report: LoadReport): Panel {
  const { timeline } = report;
  const { x, bands, middle } = timeAxis(report);
  const points = (value: (interval: Interval) => LatencySummary, key: 'p50Ms' | 'p99Ms') =>
    timeline.map((one): readonly [number, number] => [
      middle(one),
      value(one).count === 0 ? Number.NaN : value(one)[key],
    ]);
  const p99 = points(({ latency }) => latency, 'p99Ms');
  const sent = points(({ service }) => service, 'p99Ms');
  const p50 = points(({ latency }) => latency, 'p50Ms');
  return {
    caption:
      'The filled room between the two p99 lines is the wait before the sending. A request is counted at the time at which it was due.',
    drawing: lineDrawing({
      title: 'Latency over time',
      description: `p50 and p99 of each interval. ${summaryText('All', report.measured.latency)}`,
      x,
      y: msAxis(
        'milliseconds',
        [...p99, ...sent, ...p50].map(([, ms]) => ms),
      ),
      series: [
        { name: 'p99', tone: 'one', points: p99 },
        { name: 'p99 sending', tone: 'two', points: sent, look: 'dashed' },
        { name: 'p50', tone: 'three', points: p50, shape: 'square' },
      ],
      bands,
      between: { upper: 0, lower: 1, tone: 'one' },
    }),
  };
}

function ratesOverTime(report: LoadReport, width = HALF_WIDTH): Panel {
  const { timeline } = report;
  const { x, bands, middle } = timeAxis(report);
  const points = (value: (interval: Interval) => number) =>
    timeline.map((one): readonly [number, number] => [middle(one), value(one)]);
  const errors = points((one) => (1000 * errorCount(one)) / Math.max(1, one.forMs));
  const hasErrors = errors.some(([, rate]) => rate > 0);
  return {
    caption: hasErrors
      ? 'Columns are errors. Where answered falls below offered, requests failed; where good falls below answered, answers came late.'
      : 'No request failed. Where good falls below answered, answers came after the deadline.',
    drawing: lineDrawing({
      title: 'Rates over time',
      width,
      description: `Requests a second in each interval: offered ${numberText(report.measured.offeredPerSecond)}, answered ${numberText(report.measured.okPerSecond)}, good ${numberText(report.measured.goodPerSecond)} on average.`,
      x,
      y: { label: 'requests a second', scale: 'linear', from: 0 },
      series: [
        ...(hasErrors
          ? [{ name: 'errors', tone: 'bad' as const, points: errors, look: 'columns' as const }]
          : []),
        {
          name: 'offered',
          tone: 'quiet',
          points: points((one) => one.offeredPerSecond),
          look: 'dashed',
        },
        { name: 'answered', tone: 'one', points: points((one) => one.okPerSecond) },
        { name: 'good', tone: 'three', points: points((one) => one.goodPerSecond), look: 'dotted' },
      ],
      bands,
    }),
  };
}

const PART_TONES: Readonly<Record<string, Tone>> = {
  'before the sending': 'two',
  'network and protocol': 'quiet',
  'from sending to answer': 'quiet',
  queue: 'four',
  compute: 'one',
};

/** Where the mean latency went, for one load or for several side by side. */
export function splitPanel(...loads: readonly (Measured & { readonly name?: string })[]): Panel {
  const splits = loads.map(({ report, server }) => splitOf(report, server));
  const names = [...new Set(splits.flatMap((split) => split.map(({ name }) => name)))];
  const rows = splits.map((split, place) => ({
    name: loads[place]?.name ?? 'mean',
    parts: names.map((name) => split.find((part) => part.name === name)?.ms ?? 0),
  }));
  const knows = loads.some(({ server }) => server !== undefined);
  return {
    wide: true,
    caption: knows
      ? 'Mean latency from the intended start. Queue and compute are what the server itself says.'
      : 'Mean latency from the intended start. The server keeps no statistics of its queue and compute.',
    drawing: barDrawing({
      title: 'Where the time went',
      width: WIDE_WIDTH,
      description: rows
        .map(
          ({ name, parts }) =>
            `${name}: ${names.map((part, place) => `${part} ${msText(parts[place] ?? 0)}`).join(', ')}`,
        )
        .join('. '),
      parts: names.map((name) => ({ name, tone: PART_TONES[name] ?? 'quiet' })),
      rows,
      unit: 'milliseconds',
    }),
  };
}

function summaryText(name: string, { count, p50Ms, p99Ms }: LatencySummary): string {
  return count === 0
    ? `${name}: no answer.`
    : `${name}: p50 ${msText(p50Ms)}, p99 ${msText(p99Ms)}.`;
}
