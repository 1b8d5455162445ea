import { numberText, ratioText } from '../core/text.ts';
import { ticksApart } from './axes.ts';
import { clipped, type Drawing, standaloneSvg, type Tone, textWidth } from './drawing.ts';
import { type Markup, markup } from './markup.ts';
import { hasScale, linearScale, logScale, type Scale } from './scale.ts';
import { drawShape } from './series.ts';

/** A figure with the interval around it. */
export type Extent = { readonly median: number; readonly low: number; readonly high: number };

export type ForestRow = Extent & {
  readonly name: string;
  /** Drawn as a bracket that opens to where the figure should lie. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
  /** The same figure of one side over itself: how wide noise alone is. Drawn hollow below. */
  readonly aaControl?: Extent;
};

export type ForestPlot = {
  readonly title: string;
  readonly rows: readonly ForestRow[];
  /** `ratio`: a line at 1 stands for "the same". */
  readonly unit: string;
  readonly description?: string;
  /** What the hollow figures are. */
  readonly aaControlName?: string;
  readonly width?: number;
};

/** A whole SVG file, for light and for dark. */
export function forestPlot(plot: ForestPlot): string {
  return standaloneSvg(forestDrawing(plot));
}

const ROW_HEIGHT = 34;
const AA_CONTROL_HEIGHT = 20;
const TOP = 14;

type Place = {
  readonly left: number;
  readonly right: number;
  readonly width: number;
  readonly px: (value: number) => number;
};

export function forestDrawing(plot: ForestPlot): Drawing {
  const { title, rows, unit, width = 820, aaControlName = 'A/A control' } = plot;
  const texts = rows.map((row) => [extentText(row, unit), goalText(row)].filter(Boolean));
  const left = 24 + Math.min(270, Math.max(60, ...rows.map(({ name }) => textWidth(name, 'bold'))));
  const right = width - 24 - Math.max(60, ...texts.flat().map((text) => textWidth(text)));
  const scale = forestScale(rows, unit);
  const place = {
    left,
    right,
    width,
    px: (value: number) => left + scale.at(value) * (right - left),
  };
  let y = TOP;
  const drawn = rows.map((row, at) => {
    const middle = y + ROW_HEIGHT / 2;
    y += ROW_HEIGHT + (row.aaControl === undefined ? 0 : AA_CONTROL_HEIGHT);
    return drawRow(place, row, { middle, texts: texts[at] ?? [], unit });
  });
  const hasAaControl = rows.some(({ aaControl }) => aaControl !== undefined);
  const key = hasAaControl ? drawKey(place, y + 48, aaControlName) : undefined;
  const body = markup`${drawGrid(place, { scale, bottom: y, unit })}${drawn}${key}`;
  const description =
    plot.description ?? rows.map(({ name }, at) => `${name}: ${texts[at]?.join(', ')}`).join('; ');
  return { title, description, width, height: y + 44 + (hasAaControl ? 22 : 0), body };
}

function forestScale(rows: readonly ForestRow[], unit: string): Scale {
  const values = rows
    .flatMap(({ aaControl, goal, ...row }) => [
      ...extentValues(row),
      ...(aaControl === undefined ? [] : extentValues(aaControl)),
      ...(goal === undefined ? [] : [goalValue(goal)]),
    ])
    .filter(hasScale);
  if (unit === 'ratio') values.push(1);
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (least > 0 && most / least > 12) return logScale(least / 1.2, most * 1.2);
  const room = (most - least || Math.abs(most) || 1) * 0.06;
  return linearScale(least - room, most + room, 8);
}

function drawGrid(
  { left, right, px }: Place,
  { scale, bottom, unit }: { scale: Scale; bottom: number; unit: string },
): Markup {
  const ticks = ticksApart(scale.ticks, px).map(
    ({ value, label }) =>
      markup`<line class="rule" x1="${px(value)}" x2="${px(value)}" y1="${TOP}" y2="${bottom}"/><text x="${px(value)}" y="${bottom + 17}" text-anchor="middle">${label}</text>`,
  );
  const same =
    unit === 'ratio'
      ? markup`<line class="mark" x1="${px(1)}" x2="${px(1)}" y1="${TOP}" y2="${bottom}" stroke="currentColor" stroke-dasharray="5 4"/>`
      : undefined;
  return markup`<g>${ticks}<line class="edge" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>${same}<text x="${(left + right) / 2}" y="${bottom + 36}" text-anchor="middle">${unit}</text></g>`;
}

function drawRow(
  place: Place,
  row: ForestRow,
  { middle, texts, unit }: { middle: number; texts: readonly string[]; unit: string },
): Markup {
  const { left, right, width } = place;
  const { aaControl, goal, name } = row;
  const hover = [
    `${name}: ${texts.join(', ')}`,
    ...(aaControl === undefined ? [] : [`A/A control: ${extentText(aaControl, unit)}`]),
  ];
  const first = middle + (texts.length > 1 ? -4 : 4);
  const lines = texts.map(
    (text, place) => markup`<text x="${right + 14}" y="${first + 17 * place}">${text}</text>`,
  );
  const below =
    aaControl === undefined
      ? undefined
      : drawExtent(place, aaControl, {
          y: middle + AA_CONTROL_HEIGHT,
          tone: 'quiet',
          look: 'hollow',
        });
  return markup`<g><text class="strong" x="12" y="${middle + 4}">${clipped(name, left - 24, 'bold')}</text>${goal === undefined ? undefined : drawGoal(place, goal, middle)}${drawExtent(place, row, { y: middle, tone: 'one', look: 'dot' })}${below}${lines}<rect class="strip" x="0" y="${middle - ROW_HEIGHT / 2}" width="${width}" height="${ROW_HEIGHT + (aaControl === undefined ? 0 : AA_CONTROL_HEIGHT)}" fill-opacity="0"><title>${hover.join('\n')}</title></rect></g>`;
}

/** Nothing where a number is missing; the text says so. */
function drawExtent(
  { px }: Place,
  { median, low, high }: Extent,
  { y, tone, look }: { y: number; tone: Tone; look: 'dot' | 'hollow' },
): Markup | undefined {
  if (extentValues({ median, low, high }).some(Number.isNaN)) return undefined;
  const [from, to] = [px(low), px(high)];
  return markup`<g class="${tone}"><path class="line" d="M${from} ${y - 4}v8M${from} ${y}H${to}M${to} ${y - 4}v8" fill="none" stroke="currentColor" stroke-width="${look === 'dot' ? 2 : 1.4}"/>${drawShape(look === 'dot' ? 'square' : 'circle', [px(median), y], look)}</g>`;
}

/** A bracket whose arms point to the side that the goal allows. */
function drawGoal({ px }: Place, goal: NonNullable<ForestRow['goal']>, y: number): Markup {
  const arm = 'atLeast' in goal ? 6 : -6;
  const x = px(goalValue(goal));
  return markup`<path class="goal" d="M${x + arm} ${y - 12}h${-arm}v24h${arm}" fill="none" stroke="currentColor" stroke-width="1.6"/>`;
}

function drawKey({ left }: Place, y: number, aaControlName: string): Markup {
  return markup`<g class="quiet">${drawShape('circle', [left + 6, y], 'hollow')}<text x="${left + 18}" y="${y + 4}">${aaControlName}</text></g>`;
}

/** The goal and whether it is met; empty without one. */
function goalText({ goal, median }: ForestRow): string {
  if (goal === undefined) return '';
  const isMet = 'atLeast' in goal ? median >= goal.atLeast : median <= goal.atMost;
  const words = 'atLeast' in goal ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`;
  return `${words}: ${isMet ? 'met' : 'missed'}`;
}

function extentText({ median, low, high }: Extent, unit: string): string {
  const text = unit === 'ratio' ? ratioText : numberText;
  return `${text(median)} (${text(low)} to ${text(high)})`;
}

function extentValues({ median, low, high }: Extent): readonly number[] {
  return [median, low, high];
}

function goalValue(goal: NonNullable<ForestRow['goal']>): number {
  return 'atLeast' in goal ? goal.atLeast : goal.atMost;
}
