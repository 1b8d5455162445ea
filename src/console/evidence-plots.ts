import { ALL_BP } from '../core/route.ts';
import { type Drawing, WIDE_WIDTH } from '../plots/drawing.ts';
import { lineDrawing } from '../plots/line-plot.ts';
import type { Axis, LinePlot } from '../plots/lines.ts';
import type { EvidenceExport, ExportedMetric } from '../rollout/evidence/export.ts';

type Points = readonly (readonly [number, number])[];

/** The e-values of a metric over time, each against what it must reach. */
export function eValuePlot(evidence: EvidenceExport, label: string): Drawing {
  const safe = pointsOf(evidence, label, ({ logSafe }) => logSafe * PER_TEN);
  const harm = pointsOf(evidence, label, ({ logHarm }) => logHarm * PER_TEN);
  const last = evidence.metrics.find((metric) => metric.label === label);
  const marks =
    last === undefined
      ? []
      : [
          { axis: 'y' as const, at: last.logSafeNeeded * PER_TEN, name: 'proves no worse' },
          { axis: 'y' as const, at: last.logHarmNeeded * PER_TEN, name: 'proves worse' },
        ];
  return lineDrawing({
    title: `${label}: evidence`,
    description: `The e-values of ${label} for no worse and for worse over time, as powers of ten, with their thresholds`,
    x: axisOf(evidence),
    y: { label: 'e-value, powers of ten', scale: 'linear', ...range([safe, harm], marks) },
    series: [
      { name: 'no worse', tone: 'one', points: safe, shape: 'none' },
      { name: 'worse', tone: 'bad', points: harm, shape: 'none', look: 'dashed' },
    ],
    marks,
  });
}

/** The effect of a metric over time, with its interval and what it must stay below. */
export function effectPlot(evidence: EvidenceExport, label: string): Drawing {
  const of = (read: (effect: NonNullable<ExportedMetric['effect']>) => number): Points =>
    effectsOf(evidence, label, (effect) => (effect === undefined ? Number.NaN : read(effect)));
  const [upper, lower] = [of((effect) => effect.upper), of((effect) => effect.lower)];
  const [middle, limit] = [of((effect) => effect.estimate), of((effect) => effect.limit)];
  return lineDrawing({
    title: `${label}: effect`,
    description: `The measured difference of ${label} over time, the ends of its 95 % confidence sequence, and its limit`,
    x: axisOf(evidence),
    y: { label: 'difference', scale: 'linear', ...focus(middle, [upper, lower], limit) },
    series: [
      { name: 'upper', tone: 'one', points: upper, shape: 'none', look: 'dotted' },
      { name: 'lower', tone: 'one', points: lower, shape: 'none', look: 'dotted' },
      { name: 'measured', tone: 'one', points: middle, shape: 'none' },
      { name: 'limit', tone: 'bad', points: limit, shape: 'none', look: 'dashed' },
    ],
    between: { upper: 0, lower: 1, tone: 'one' },
  });
}

/** The candidate's share of live traffic: steps, so each is drawn until the next begins. */
export function weightPlot(evidence: EvidenceExport): Drawing {
  const { weights, startedMs } = evidence;
  const { unitMs } = unitOf(evidence);
  const endMs = Math.max(endOf(evidence), ...weights.map(({ atMs }) => atMs));
  const points = weights.flatMap(({ atMs, weightBp }, place): Points => {
    const percent = (100 * weightBp) / ALL_BP;
    const untilMs = weights[place + 1]?.atMs ?? endMs;
    return [atMs, untilMs].map((ms) => [Math.max(0, ms - startedMs) / unitMs, percent] as const);
  });
  return lineDrawing({
    title: 'Share of live traffic',
    description: "The candidate's share of live traffic over time, in percent",
    x: axisOf(evidence),
    y: { label: 'percent', scale: 'linear', from: 0, to: 100, unit: ' %' },
    series: [{ name: 'candidate', tone: 'one', points, shape: 'none' }],
    width: WIDE_WIDTH,
    height: 220,
  });
}

/** Natural logarithms as powers of ten. */
const PER_TEN = Math.LOG10E;

/** Losing bets sink without end; how deep says nothing. */
const DEEPEST = -4;

function pointsOf(
  evidence: EvidenceExport,
  label: string,
  read: (metric: ExportedMetric) => number,
): Points {
  return evidence.looks.map((look) => {
    const metric = look.metrics.find((each) => each.label === label);
    return [atOf(look, evidence), metric === undefined ? Number.NaN : read(metric)] as const;
  });
}

/** Of a metric, or of a slice that is only reported. */
function effectsOf(
  evidence: EvidenceExport,
  label: string,
  read: (effect: ExportedMetric['effect']) => number,
): Points {
  return evidence.looks.map((look) => {
    const shown = [...look.metrics, ...look.reported].find((each) => each.label === label);
    return [atOf(look, evidence), read(shown?.effect)] as const;
  });
}

function atOf({ atMs }: EvidenceExport['looks'][number], evidence: EvidenceExport): number {
  return Math.max(0, atMs - evidence.startedMs) / unitOf(evidence).unitMs;
}

function range(lines: readonly Points[], marks: readonly { readonly at: number }[]): Range {
  const values = lines.flatMap((points) => points.map(([, y]) => y)).filter(Number.isFinite);
  const least = values.reduce((a, b) => Math.min(a, b), 0);
  const needed = marks.reduce((most, { at }) => Math.max(most, at), 1);
  // Far beyond its threshold a line has no more to say.
  return { from: Math.max(DEEPEST, Math.floor(least)), to: 2 * needed };
}

type Range = Required<Pick<Axis, 'from' | 'to'>>;

/** The last interval and the limit with some room: the first intervals are as wide as all that can be. */
function focus(middle: Points, ends: readonly Points[], limit: Points): Range {
  const lasts = [middle, ...ends, limit].map((points) => points.at(-1)?.[1] ?? 0);
  const measured = middle.map(([, y]) => y).filter(Number.isFinite);
  const half = measured.slice(measured.length >> 1);
  const values = [...lasts.filter(Number.isFinite), ...half, 0];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.25 * (high - low) || 0.01;
  return { from: low - room, to: high + room };
}

function axisOf(evidence: EvidenceExport): LinePlot['x'] {
  const { name } = unitOf(evidence);
  return { label: `${name} since the start`, scale: 'linear', from: 0 };
}

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

function unitOf(evidence: EvidenceExport): { readonly unitMs: number; readonly name: string } {
  const spanMs = endOf(evidence) - evidence.startedMs;
  if (spanMs < 3 * MINUTE) return { unitMs: SECOND, name: 'seconds' };
  return spanMs < 3 * HOUR ? { unitMs: MINUTE, name: 'minutes' } : { unitMs: HOUR, name: 'hours' };
}

function endOf({ looks, startedMs, phase }: EvidenceExport): number {
  return 'atMs' in phase ? phase.atMs : (looks.at(-1)?.atMs ?? startedMs);
}
