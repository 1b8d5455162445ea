import { numberText } from '../core/text.ts';
import { ticksApart } from './axes.ts';
import {
  clipped,
  type Drawing,
  HALF_WIDTH,
  standaloneSvg,
  type Tone,
  textWidth,
} from './drawing.ts';
import { type Markup, markup } from './markup.ts';
import { linearScale } from './scale.ts';

export type BarRow = { readonly name: string; readonly parts: readonly number[] };

/** Bars that lie, each made of the same parts in the same order. */
export type BarPlot = {
  readonly title: string;
  readonly description: string;
  readonly parts: readonly { readonly name: string; readonly tone: Tone }[];
  readonly rows: readonly BarRow[];
  readonly unit: string;
  readonly width?: number;
};

/** A whole SVG file, for light and for dark. */
export function barPlot(plot: BarPlot): string {
  return standaloneSvg(barDrawing(plot));
}

const BAR = 22;
const ROW = 32;

export function barDrawing(plot: BarPlot): Drawing {
  const { title, description, rows, parts, width = HALF_WIDTH, unit } = plot;
  const totals = rows.map((row) => row.parts.reduce((sum, part) => sum + Math.max(0, part), 0));
  const left = 24 + Math.min(180, Math.max(0, ...rows.map(({ name }) => textWidth(name))));
  const right = width - 30 - Math.max(30, ...totals.map((total) => textWidth(numberText(total))));
  const scale = linearScale(0, Math.max(...totals, 0) || 1);
  const px = (value: number): number => left + scale.at(value) * (right - left);
  const key = drawKey(parts, width);
  const top = key.bottom + 10;
  const bottom = top + rows.length * ROW + 4;
  const grid = ticksApart(scale.ticks, px).map(
    ({ value, label }) =>
      markup`<line class="rule" x1="${px(value)}" x2="${px(value)}" y1="${top}" y2="${bottom}"/><text x="${px(value)}" y="${bottom + 17}" text-anchor="middle">${label}</text>`,
  );
  const bars = rows.map((row, place) => {
    const y = top + place * ROW + (ROW - BAR) / 2;
    const total = markup`<text class="strong" x="${px(totals[place] ?? 0) + 8}" y="${y + 16}">${numberText(totals[place] ?? 0)}</text>`;
    return markup`<g><text x="${left - 12}" y="${y + 16}" text-anchor="end">${clipped(row.name, left - 20)}<title>${row.name}</title></text>${drawParts(plot, row, { y, px })}${total}</g>`;
  });
  const body = markup`${key.drawn}${grid}${bars}<text x="${(left + right) / 2}" y="${bottom + 36}" text-anchor="middle">${unit}</text>`;
  return { title, description, width, height: bottom + 44, body };
}

function drawParts(
  { parts, unit }: BarPlot,
  row: BarRow,
  { y, px }: { y: number; px: (value: number) => number },
): readonly Markup[] {
  let sum = 0;
  return row.parts.map((value, place) => {
    const from = px(sum);
    sum += Math.max(0, value);
    // The gap of one unit keeps neighbours apart without any colour.
    const width = Math.max(0, px(sum) - from - 1);
    const { name, tone } = parts[place] ?? { name: '', tone: 'quiet' };
    const text = numberText(value);
    const label =
      textWidth(text) + 8 < width
        ? markup`<text class="inside" x="${from + width / 2}" y="${y + 16}" text-anchor="middle">${text}</text>`
        : undefined;
    return markup`<g class="${tone}"><rect class="bar" x="${from}" y="${y}" width="${width}" height="${BAR}"/>${label}<title>${row.name}, ${name}: ${text} ${unit}</title></g>`;
  });
}

/** What the parts are, in their order, in as many lines as they need. */
function drawKey(
  parts: BarPlot['parts'],
  width: number,
): { drawn: readonly Markup[]; bottom: number } {
  let [x, y] = [12, 12];
  const drawn = parts.map(({ name, tone }) => {
    const room = textWidth(name) + 34;
    if (x + room > width && x > 12) {
      x = 12;
      y += 20;
    }
    const entry = markup`<g class="${tone}"><rect class="bar" x="${x}" y="${y - 6}" width="12" height="12"/><text x="${x + 18}" y="${y + 4}">${name}</text></g>`;
    x += room;
    return entry;
  });
  return { drawn, bottom: y + 8 };
}
