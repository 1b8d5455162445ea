/** Text that is markup already. Made by `markup` only, so nothing gets into a page unescaped. */
export class Markup {
  readonly #text: string;

  constructor(pieces: readonly string[], values: readonly Piece[]) {
    this.#text = pieces.map((piece, place) => piece + pieceText(values[place])).join('');
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template: text is escaped, markup is not, undefined is nothing. */
export type Piece = Markup | readonly Markup[] | string | number | undefined;

/** A template for HTML and SVG: `markup\`<td>${cell}</td>\``. */
export function markup(pieces: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return new Markup(pieces, values);
}

function pieceText(value: Piece): string {
  if (value === undefined) return '';
  if (value instanceof Markup) return value.toString();
  if (typeof value === 'number') return coordinate(value);
  return typeof value === 'string' ? escapeMarkup(value) : value.join('');
}

/** Two decimals are finer than any screen, and keep a page small. */
function coordinate(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : '0';
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe in text and in quoted attributes. What XML cannot hold at all (control characters, half pairs) becomes U+FFFD. */
export function escapeMarkup(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, (character) =>
      character === '\n' || character === '\t' ? character : '\uFFFD',
    )
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
