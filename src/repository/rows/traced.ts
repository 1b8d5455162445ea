import type { Extent } from './extent.ts';

/**
 * What is known of a value while a graph is followed. `fixed` values are the same for all requests, `sized` ones depend on
 * nothing but the sizes of inputs; neither holds what a caller sent.
 */
export type Traced = {
  readonly kind: 'fixed' | 'sized' | 'sent';
  /** The number of dimensions; undefined: not known. */
  readonly rank?: number | undefined;
  /**
   * The axis that requests are joined along, alone or merged with others; undefined: not known. Of a value that holds nothing
   * sent: the axis that is as long as there are rows.
   */
  readonly row?: number | undefined;
  /** What comes before the axis of the rows is of size one. */
  readonly isInFront?: boolean | undefined;
  /** Of a value that holds nothing sent: it is the same for each row. */
  readonly isEven?: boolean | undefined;
  /** Of a value that holds nothing sent: it is the number of each row. */
  readonly isIota?: boolean | undefined;
  /** Places of so many numbers, the first of which is that of the row. */
  readonly ownPlace?: number | undefined;
  /** Of a value that holds nothing sent: it is another one where there are other rows. */
  readonly isByRows?: boolean | undefined;
  /** Its elements, where they are few whole numbers: axes, shapes, permutations. */
  readonly content?: readonly Extent[] | undefined;
};

/** A node with all that a rule needs to know. */
export type Call = {
  readonly op: string;
  /** Version of the operator set. */
  readonly opset: number;
  /** Undefined where an optional input is left out. */
  readonly inputs: readonly (Traced | undefined)[];
  /** How many outputs are asked for. */
  readonly outputs: number;
  readonly whole: (attribute: string) => number | undefined;
  readonly wholes: (attribute: string) => readonly number[] | undefined;
  readonly text: (attribute: string) => string | undefined;
};

/** What a node's outputs are, the last of them standing for those that follow; or, in words, how it mixes rows. */
export type Step = string | readonly Traced[];

/** Sent by a caller; nothing else is known. */
export const SENT: Traced = { kind: 'sent' };

/** More dimensions than this are not followed. */
export const LIST_MAX = 64;

export function sent(rank: number | undefined, row: number | undefined): Traced {
  return rank !== undefined && rank > LIST_MAX ? SENT : { kind: 'sent', rank, row };
}

/** Numbers only, or undefined: a content that is not known to its end cannot be used as axes. */
export function numbersOf(value: Traced | undefined): readonly number[] | undefined {
  const content = value?.content;
  return content?.every((each) => typeof each === 'number') ? content : undefined;
}

/** An axis counted from the front; undefined: a negative one of an unknown rank, or one that does not exist. */
export function axisOf(axis: number, rank: number | undefined): number | undefined {
  const found = axis < 0 ? axis + (rank ?? 0) : axis;
  if (axis < 0 && rank === undefined) return undefined;
  return found < 0 || (rank !== undefined && found >= rank) ? undefined : found;
}

/** Why work along these axes mixes rows; undefined: it does not, or it is not known to. Without `axes` all are meant. */
export function alongRows(value: Traced, axes: readonly number[] | undefined): string | undefined {
  if (axes === undefined) return 'works along all axes';
  const row = value.row ?? 0;
  return axes.some((axis) => axisOf(axis, value.rank) === row)
    ? `works along axis ${row}${row === 0 ? '' : ', which holds the rows'}`
    : undefined;
}
