import type { Drawing } from '../../plots/drawing.ts';

/** A plot in a page, with what a reader must know to read it. */
export type Panel = {
  readonly drawing: Drawing;
  readonly caption: string;
  /** Takes the whole width of the page. */
  readonly wide?: boolean;
};

/** A figure that is shown at the top of a page: `99 % within`, `12.3`, `ms`. */
export type KeyFigure = { readonly name: string; readonly value: string; readonly unit: string };
