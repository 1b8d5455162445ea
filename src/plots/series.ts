import { type Frame, hasPlace } from './axes.ts';
import type { Series } from './lines.ts';
import { type Markup, markup } from './markup.ts';

const DASHES = { solid: 'none', dashed: '7 4', dotted: '2 4', columns: 'none', points: 'none' };

/** More shapes than that would hide the line that they lie on. */
const SHAPES_MAX = 40;

export function drawSeries(frame: Frame, series: Series): Markup {
  const { points, look = 'solid', tone, shape = 'circle' } = series;
  if (look === 'columns') return drawColumns(frame, series);
  const placed = points.filter(hasPlace);
  const line =
    look === 'points'
      ? undefined
      : markup`<path class="line" d="${pathOf(frame, points)}" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round" stroke-dasharray="${DASHES[look]}"/>`;
  const alone = placed.length === 1 || look === 'points';
  const shapes =
    alone || (look === 'solid' && shape !== 'none' && placed.length <= SHAPES_MAX)
      ? placed.map(([x, y]) => drawShape(shape, [frame.px(x), frame.py(y)], 'dot'))
      : [];
  return markup`<g class="${tone}">${line}${shapes}</g>`;
}

/** One shape of about nine units, its middle at the place. */
export function drawShape(
  shape: Series['shape'],
  [x, y]: readonly [number, number],
  look: 'dot' | 'hollow',
): Markup {
  const outline = {
    none: undefined,
    circle: undefined,
    square: `M${x - 4} ${y - 4}h8v8h-8Z`,
    triangle: `M${x} ${y - 5.5}l5.2 9h-10.4Z`,
    diamond: `M${x} ${y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5Z`,
  }[shape ?? 'circle'];
  if (outline === undefined)
    return markup`<circle class="${look}" cx="${x}" cy="${y}" r="4.2" stroke-width="1.4"/>`;
  return markup`<path class="${look}" d="${outline}" stroke-width="1.4"/>`;
}

/** Lines through the points; a gap where there is none. */
function pathOf(frame: Frame, points: Series['points']): string {
  let isOpen = false;
  return points
    .map((point) => {
      if (!hasPlace(point)) {
        isOpen = false;
        return '';
      }
      const step = `${isOpen ? 'L' : 'M'}${frame.px(point[0]).toFixed(1)} ${frame.py(point[1]).toFixed(1)}`;
      isOpen = true;
      return step;
    })
    .join('');
}

function drawColumns(frame: Frame, { points, tone }: Series): Markup {
  const placed = points.filter(hasPlace);
  const room = (frame.right - frame.left) / Math.max(1, placed.length);
  const width = Math.min(14, Math.max(1, room * 0.7));
  const columns = placed
    .filter(([, y]) => y > frame.y.from)
    .map(([x, y]) => {
      const top = Math.min(frame.py(y), frame.bottom - 1);
      return markup`<rect class="bar" x="${frame.px(x) - width / 2}" y="${top}" width="${width}" height="${frame.bottom - top}"/>`;
    });
  return markup`<g class="${tone}">${columns}</g>`;
}
