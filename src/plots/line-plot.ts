import { numberText } from '../core/text.ts';
import { drawAxes, type Frame, frameFor, hasPlace } from './axes.ts';
import { clipped, type Drawing, standaloneSvg, textWidth } from './drawing.ts';
import type { Band, LinePlot, Series } from './lines.ts';
import { drawHorizontals, drawVerticals } from './marks.ts';
import { type Markup, markup } from './markup.ts';
import { drawSeries, drawShape } from './series.ts';

/** A whole SVG file, for light and for dark. */
export function linePlot(plot: LinePlot): string {
  return standaloneSvg(lineDrawing(plot));
}

export function lineDrawing(plot: LinePlot): Drawing {
  const frame = frameFor(plot);
  const { title, description, bands = [], series } = plot;
  const body = markup`${bands.map((band) => drawBand(frame, band))}${drawAxes(frame, plot)}${drawBetween(frame, plot)}${drawHorizontals(frame, plot)}${series.map((one) => drawSeries(frame, one))}${drawVerticals(frame, plot)}${drawNames(frame, series)}${drawStrips(frame, plot)}`;
  return { title, description, width: frame.width, height: frame.height, body };
}

function drawBand(frame: Frame, { from, to, name }: Band): Markup {
  const [left, right] = [frame.px(from), frame.px(to)];
  const fits = textWidth(name) + 8 < right - left;
  const label = fits
    ? markup`<text x="${left + 6}" y="${frame.top + 15}">${name}</text>`
    : undefined;
  return markup`<g><title>${name}</title><rect class="band" x="${left}" y="${frame.top}" width="${Math.max(0, right - left)}" height="${frame.bottom - frame.top}" fill-opacity="0.08"/>${label}</g>`;
}

function drawBetween(frame: Frame, { between, series }: LinePlot): Markup | undefined {
  const upper = series[between?.upper ?? -1]?.points.filter(hasPlace) ?? [];
  const lower = series[between?.lower ?? -1]?.points.filter(hasPlace) ?? [];
  if (between === undefined || upper.length < 2 || lower.length < 2) return undefined;
  const outline = [...upper, ...lower.toReversed()]
    .map(([x, y]) => `${frame.px(x).toFixed(1)} ${frame.py(y).toFixed(1)}`)
    .join('L');
  return markup`<path class="area ${between.tone}" d="M${outline}Z" fill-opacity="0.16"/>`;
}

const NAME_GAP = 16;

/** The names of lines at their ends, moved apart where they would lie on each other. */
function drawNames(frame: Frame, series: readonly Series[]): readonly Markup[] {
  const ends = series
    .flatMap((one) => {
      const last = one.points.findLast(hasPlace);
      return last === undefined ? [] : [{ one, y: frame.py(last[1]) + 4 }];
    })
    .sort((a, b) => a.y - b.y);
  const lowest = frame.bottom + 4;
  const places = ends.map(({ y }) => y);
  for (let place = 1; place < places.length; place += 1)
    places[place] = Math.max(places[place] ?? 0, (places[place - 1] ?? 0) + NAME_GAP);
  for (let place = places.length - 1; place >= 0; place -= 1)
    places[place] = Math.min(
      places[place] ?? 0,
      (places[place + 1] ?? lowest + NAME_GAP) - NAME_GAP,
    );
  return ends.map(({ one }, place) => {
    const y = places[place] ?? 0;
    // Points that no line joins to their name need their shape next to it.
    const isApart = one.look === 'points';
    const shape = isApart ? drawShape(one.shape, [frame.right + 14, y - 4], 'dot') : undefined;
    const x = frame.right + (isApart ? 24 : 10);
    const shown = clipped(one.name, frame.width - x, 'bold');
    return markup`<g class="${one.tone}">${shape}<text class="name" x="${x}" y="${y}">${shown}<title>${one.name}</title></text></g>`;
  });
}

const STRIPS_MAX = 400;

/** A strip over each x that shows all values there on hover; where there are very many x, over some. */
function drawStrips(frame: Frame, { x, y, series }: LinePlot): readonly Markup[] {
  const texts = new Map<number, string[]>();
  for (const { name, points } of series) {
    for (const point of points) {
      if (!hasPlace(point)) continue;
      const lines = texts.get(point[0]) ?? [];
      lines.push(`${name}: ${numberText(point[1])}${y.unit ?? ''}`);
      texts.set(point[0], lines);
    }
  }
  const every = Math.ceil(texts.size / STRIPS_MAX);
  const chosen = [...texts].sort(([a], [b]) => a - b).filter((_, place) => place % every === 0);
  const places = chosen.map(([at]) => frame.px(at));
  return chosen.map(([at, lines], place) => {
    const here = places[place] ?? 0;
    const left = place === 0 ? frame.left : (here + (places[place - 1] ?? here)) / 2;
    const right =
      place === places.length - 1 ? frame.right : (here + (places[place + 1] ?? here)) / 2;
    const head = `${x.label}: ${x.scale === 'percentile' ? String(Number(at.toFixed(4))) : numberText(at)}${x.unit ?? ''}`;
    return markup`<rect class="strip" x="${left}" y="${frame.top}" width="${Math.max(0, right - left)}" height="${frame.bottom - frame.top}" fill-opacity="0"><title>${[head, ...lines].join('\n')}</title></rect>`;
  });
}
