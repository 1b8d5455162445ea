import { type Markup, markup } from './markup.ts';
import { PLOT_STYLE } from './plot-style.ts';

/** A plot that is drawn and not yet put into a page or a file of its own. */
export type Drawing = {
  readonly title: string;
  /** What the plot shows, for those who do not see it. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly body: Markup;
};

/** Of a plot that shares its row with another, and of one that has the row to itself. */
export const HALF_WIDTH = 520;
export const WIDE_WIDTH = 1080;

/** The height of one line of text, and the width of a character on average, in the units of a drawing. */
const TEXT_SIZE = 13;
const CHARACTER_WIDTH = { plain: 7.4, bold: 8.6 };

type Weight = keyof typeof CHARACTER_WIDTH;

/** Colours by their part in a plot; each has a light and a dark shade in the style. */
export type Tone = 'one' | 'two' | 'three' | 'four' | 'quiet' | 'bad';

/** In a page whose style has `PLOT_STYLE`; `id` must be its own in that page. */
export function inlineSvg(drawing: Drawing, id: string): Markup {
  const { width, height, title, description, body } = drawing;
  return markup`<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-text" font-size="${TEXT_SIZE}" fill="currentColor"><title id="${id}-title">${title}</title><desc id="${id}-text">${description}</desc>${body}</svg>`;
}

const TITLE_ROOM = 34;

/** A whole SVG file with its title drawn and its own style, for light and for dark. */
export function standaloneSvg(drawing: Drawing): string {
  const { width, height, title, description, body } = drawing;
  const tall = height + TITLE_ROOM;
  const shown = clipped(title, width / 1.15 - 24, 'bold');
  return `${markup`<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 ${width} ${tall}" width="${width}" height="${tall}" role="img" aria-labelledby="title text" font-size="${TEXT_SIZE}" fill="currentColor"><title id="title">${title}</title><desc id="text">${description}</desc><style>${PLOT_STYLE}</style><rect class="ground" width="${width}" height="${tall}" fill="none"/><text class="heading" x="12" y="23">${shown}</text><g transform="translate(0 ${TITLE_ROOM})">${body}</g></svg>`}\n`;
}

/** The width that a text takes, about: fonts differ, so leave some room. */
export function textWidth(text: string, weight: Weight = 'plain'): number {
  return [...text].length * CHARACTER_WIDTH[weight];
}

/** The text, cut with an ellipsis where it is wider than that. */
export function clipped(text: string, widthMax: number, weight: Weight = 'plain'): string {
  const characters = [...text];
  const fit = Math.max(1, Math.floor(widthMax / CHARACTER_WIDTH[weight]));
  return characters.length <= fit ? text : `${characters.slice(0, fit - 1).join('')}…`;
}
