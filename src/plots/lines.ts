import type { Tone } from './drawing.ts';

/** One axis. Without `from` and `to` it spans what is shown. `percentile`: 0 to 100, each nine taking the same room. */
export type Axis = {
  readonly label: string;
  readonly scale: 'linear' | 'log' | 'percentile';
  readonly from?: number;
  readonly to?: number;
  /** After numbers shown on hover, with its space: ` ms`. */
  readonly unit?: string;
};

/** Points in rising x. A y that is not finite is a gap: there was nothing to measure. */
export type Series = {
  readonly name: string;
  readonly tone: Tone;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Series differ in dashes and shapes too, not only in colour. `columns` stand on the lower edge. */
  readonly look?: 'solid' | 'dashed' | 'dotted' | 'columns' | 'points';
  readonly shape?: 'none' | 'circle' | 'square' | 'triangle' | 'diamond';
};

export type Band = { readonly from: number; readonly to: number; readonly name: string };

/** A plot of lines: what it shows, and what it says of it. */
export type LinePlot = {
  readonly title: string;
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Lines across the plot: a limit, a knee, a deadline. */
  readonly marks?: readonly {
    readonly axis: 'x' | 'y';
    readonly at: number;
    readonly name: string;
  }[];
  /** Stretches of x that are not like the others: a warm-up. */
  readonly bands?: readonly Band[];
  /** Fills the room between two series, by their places; both must have the same x. */
  readonly between?: { readonly upper: number; readonly lower: number; readonly tone: Tone };
  readonly width?: number;
  readonly height?: number;
};
