import { HALF_WIDTH, textWidth } from './drawing.ts';
import type { Axis, LinePlot } from './lines.ts';
import { type Markup, markup } from './markup.ts';
import { hasScale, linearScale, logScale, percentileScale, roundOut, type Scale } from './scale.ts';

/** The room in which the values of a plot lie, and where each value lies in it. */
export type Frame = {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: Scale;
  readonly y: Scale;
  readonly px: (x: number) => number;
  readonly py: (y: number) => number;
};

const HEIGHT = 300;
const NAMES_WIDTH_MAX = 150;
/** Above the highest value; the names of bands need more. */
const HEADROOM = 0.06;
const BAND_HEADROOM = 0.2;

/** The frame of a plot: room on the left for the numbers, on the right for the names of the lines. */
export function frameFor(plot: LinePlot): Frame {
  const { width = HALF_WIDTH, height = HEIGHT, series, marks = [], bands = [] } = plot;
  const headroom = bands.length === 0 ? HEADROOM : BAND_HEADROOM;
  const points = series.flatMap((one) => one.points.filter(hasPlace));
  const markedAt = (axis: 'x' | 'y'): readonly number[] =>
    marks.filter((mark) => mark.axis === axis).map(({ at }) => at);
  const x = scaleFor(plot.x, [...points.map(([at]) => at), ...markedAt('x')], 0);
  const y = scaleFor(plot.y, [...points.map(([, at]) => at), ...markedAt('y')], headroom);
  const names = Math.max(0, ...series.map(({ name }) => textWidth(name, 'bold')));
  const isApart = series.some(({ look }) => look === 'points');
  const left = 22 + Math.max(...y.ticks.map(({ label }) => textWidth(label)), 14);
  const right = width - Math.max(24, Math.min(NAMES_WIDTH_MAX, names + (isApart ? 34 : 20)));
  const [top, bottom] = [30, height - 48];
  return {
    width,
    height,
    left,
    right,
    top,
    bottom,
    x,
    y,
    px: (at) => left + x.at(at) * (right - left),
    py: (at) => bottom - y.at(at) * (bottom - top),
  };
}

/** Whether a point can be shown at all. */
export function hasPlace([x, y]: readonly [number, number]): boolean {
  return hasScale(x) && hasScale(y);
}

function scaleFor(axis: Axis, shown: readonly number[], headroom: number): Scale {
  const values = shown.filter(Number.isFinite);
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (axis.scale === 'percentile') return percentileScale(axis.to ?? most);
  if (axis.scale === 'linear')
    return linearScale(axis.from ?? 0, axis.to ?? (most > 0 ? most * (1 + headroom) : 1));
  const least = values.filter((value) => value > 0).reduce((a, b) => Math.min(a, b), most);
  return logScale(
    axis.from ?? roundOut(least, 'down'),
    axis.to ?? roundOut(most * (1 + headroom), 'up'),
  );
}

/** The grid, the numbers and what they are. */
export function drawAxes(frame: Frame, { x, y }: Pick<LinePlot, 'x' | 'y'>): Markup {
  const { left, right, top, bottom } = frame;
  const across = frame.y.ticks.map(
    ({ value, label }) =>
      markup`<line class="rule" x1="${left}" x2="${right}" y1="${frame.py(value)}" y2="${frame.py(value)}"/><text x="${left - 8}" y="${frame.py(value) + 4}" text-anchor="end">${label}</text>`,
  );
  const below = ticksApart(frame.x.ticks, frame.px).map(
    ({ value, label }) =>
      markup`<line class="edge" x1="${frame.px(value)}" x2="${frame.px(value)}" y1="${bottom}" y2="${bottom + 5}"/><text x="${frame.px(value)}" y="${bottom + 19}" text-anchor="middle">${label}</text>`,
  );
  return markup`<g>${across}${below}<line class="edge" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/><text x="${left}" y="${top - 14}">${y.label}</text><text x="${(left + right) / 2}" y="${bottom + 39}" text-anchor="middle">${x.label}</text></g>`;
}

/** The ticks whose labels do not touch the one before; `px` is where a value lies. */
export function ticksApart(ticks: Scale['ticks'], px: (value: number) => number): Scale['ticks'] {
  let free = Number.NEGATIVE_INFINITY;
  return ticks.filter(({ value, label }) => {
    const half = textWidth(label) / 2;
    if (px(value) - half < free) return false;
    free = px(value) + half + 6;
    return true;
  });
}
