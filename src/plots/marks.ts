import type { Frame } from './axes.ts';
import { textWidth } from './drawing.ts';
import type { LinePlot } from './lines.ts';
import { type Markup, markup } from './markup.ts';

/** Lines across at a y, each with its name on its left end. */
export function drawHorizontals(frame: Frame, { marks = [] }: LinePlot): readonly Markup[] {
  return marks
    .filter(({ axis }) => axis === 'y')
    .map(({ at, name }) => {
      const y = frame.py(at);
      const textY = y - 6 < frame.top + 10 ? y + 15 : y - 6;
      return markup`<line class="mark" x1="${frame.left}" x2="${frame.right}" y1="${y}" y2="${y}" stroke="currentColor" stroke-dasharray="5 4"/><text class="halo strong" x="${frame.left + 6}" y="${textY}">${name}</text>`;
    });
}

/** Lines down at an x, each with its name at the top, on the side that has room. */
export function drawVerticals(frame: Frame, { marks = [] }: LinePlot): readonly Markup[] {
  return marks
    .filter(({ axis }) => axis === 'x')
    .map(({ at, name }, place, all) => {
      const x = frame.px(at);
      const room = textWidth(name, 'bold') + 10;
      const isTaken = all.some((other) => other.at > at && frame.px(other.at) < x + room);
      const turned = x + room > frame.right || (isTaken && x - room > frame.left);
      return markup`<line class="mark" x1="${x}" x2="${x}" y1="${frame.top}" y2="${frame.bottom}" stroke="currentColor" stroke-dasharray="5 4"/><text class="halo strong" x="${turned ? x - 6 : x + 6}" y="${frame.top + 12 + 16 * place}" text-anchor="${turned ? 'end' : 'start'}">${name}</text>`;
    });
}
