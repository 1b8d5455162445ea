/** Operators that move axes about: where the rows are afterwards. */
import {
  alongRows,
  axisOf,
  type Call,
  type Extent,
  numbersOf,
  SENT,
  type Step,
  sent,
  type Traced,
} from './traced.ts';

type Rule = (call: Call, value: Traced) => Step;

/** Sizes from here on stand for "to the end": exporters write this one, or the largest whole number. */
const TO_THE_END = 1_000_000_000;

const transpose: Rule = (call, { rank, row }) => {
  const perm = call.wholes('perm') ?? (rank === undefined ? undefined : countdown(rank));
  if (!perm) return [SENT];
  const found = row === undefined ? -1 : perm.indexOf(row);
  return [sent(perm.length, found < 0 ? undefined : found)];
};

const reshape: Rule = (call, { rank, row }) => {
  const target = call.inputs[1]?.content ?? call.wholes('shape');
  if (!target) return [sent(undefined, undefined)];
  return [sent(target.length, rowAfterReshape(target, { rank, row }, call.whole('allowzero')))];
};

/**
 * Where the target names the number of rows, there they are. Otherwise a kept size (0) keeps the rows, and rows that lay in
 * front stay with the free size (-1), alone or merged, if only ones come before it.
 */
function rowAfterReshape(
  target: readonly Extent[],
  { row }: Pick<Traced, 'rank' | 'row'>,
  allowZero = 0,
): number | undefined {
  if (row === undefined) return undefined;
  const named = target.indexOf('rows');
  if (named >= 0) return named;
  if (allowZero === 0 && target.slice(0, row + 1).every((size) => size === 0)) return row;
  const free = target.indexOf(-1);
  const onlyOnes = target.slice(0, Math.max(free, 0)).every((size) => size === 1);
  return row === 0 && free >= 0 && onlyOnes ? free : undefined;
}

const flatten: Rule = (call, { rank, row }) => {
  const axis = call.whole('axis') ?? 1;
  const from = axis < 0 ? axisOf(axis, rank) : axis;
  return [sent(2, row === undefined || from === undefined ? undefined : Number(row >= from))];
};

const unsqueeze: Rule = (call, { rank, row }) => {
  const axes = call.wholes('axes') ?? numbersOf(call.inputs[1]);
  if (!axes || rank === undefined) return [SENT];
  const wide = rank + axes.length;
  const added = new Set(axes.map((axis) => axisOf(axis, wide)));
  const kept = countUp(wide).filter((axis) => !added.has(axis));
  return [sent(wide, row === undefined ? undefined : kept[row])];
};

const squeeze: Rule = (call, { rank, row }) => {
  const axes = call.wholes('axes') ?? numbersOf(call.inputs[1]);
  if (!axes || rank === undefined) return [SENT];
  return [without({ rank, row }, axes)];
};

/** Without these axes. Rows that lay along one of them are gone. */
export function without(
  { rank, row }: Pick<Traced, 'rank' | 'row'>,
  axes: readonly number[],
): Traced {
  if (rank === undefined) return SENT;
  const gone = new Set(axes.map((axis) => axisOf(axis, rank)));
  const kept = countUp(rank).filter((axis) => !gone.has(axis));
  const found = row === undefined ? -1 : kept.indexOf(row);
  return sent(kept.length, found < 0 ? undefined : found);
}

const slice: Rule = (call, value) => {
  const starts = call.wholes('starts') ?? numbersOf(call.inputs[1]);
  const ends = call.wholes('ends') ?? numbersOf(call.inputs[2]);
  const axes = call.wholes('axes') ?? numbersOf(call.inputs[3]) ?? starts?.map((_, axis) => axis);
  const steps = numbersOf(call.inputs[4]);
  const kept = [sent(value.rank, value.row)];
  if (!starts || !ends || !axes || value.row === undefined) return kept;
  const at = axes.findIndex((axis) => axisOf(axis, value.rank) === value.row);
  if (at < 0) return kept;
  const isWhole = starts[at] === 0 && (ends[at] ?? 0) >= TO_THE_END && (steps?.[at] ?? 1) === 1;
  return isWhole ? kept : `takes a part of axis ${value.row}, which holds the rows`;
};

const split: Rule = (call, value) => {
  const axis = call.whole('axis') ?? 0;
  if (value.row !== undefined && axisOf(axis, value.rank) === value.row) {
    return `splits axis ${value.row}, which holds the rows`;
  }
  return [sent(value.rank, value.row)];
};

const pad: Rule = (call, value) => {
  const pads = call.wholes('pads') ?? call.wholes('paddings') ?? numbersOf(call.inputs[1]);
  const { rank, row } = value;
  if (pads && !call.inputs[3] && pads.length === (rank ?? 0) * 2 && row !== undefined) {
    if (pads[row] !== 0 || pads[row + (rank ?? 0)] !== 0) return 'pads the axis of the rows';
  }
  return [sent(rank, row)];
};

const tile: Rule = (call, value) => {
  const repeats = numbersOf(call.inputs[1]);
  if (repeats && value.row !== undefined && (repeats[value.row] ?? 1) !== 1) {
    return `repeats axis ${value.row}, which holds the rows`;
  }
  return [sent(value.rank, value.row)];
};

const expand: Rule = (call, { rank, row }) => {
  const target = call.inputs[1]?.content;
  if (!target || rank === undefined) return [SENT];
  const wide = Math.max(rank, target.length);
  return [sent(wide, row === undefined ? undefined : row + wide - rank)];
};

/** Rows that meet along their own axis: two requests would give the sum of what each gives twice. */
export const concat = (call: Call): Step => {
  const axis = call.whole('axis') ?? 1;
  const values = call.inputs.filter((each) => each?.kind === 'sent');
  const rank = values.map((each) => each?.rank).find((each) => each !== undefined);
  const rows = values.map((each) => each?.row);
  const [row] = rows;
  if (row !== undefined && rows.every((each) => each === row)) {
    if (axisOf(axis, rank) === row) return `joins values along axis ${row}, which holds the rows`;
    return [sent(rank, row)];
  }
  return [sent(rank, undefined)];
};

const gather: Rule = (call, data) => {
  const axis = axisOf(call.whole('axis') ?? 0, data.rank);
  const indices = call.inputs[1];
  if (axis === undefined || !indices) return [SENT];
  if (data.kind === 'sent' && data.row === axis) {
    return `picks along axis ${axis}, which holds the rows`;
  }
  const rank = addRanks(data.rank, indices.rank, -1);
  const fromIndices = indices.kind === 'sent' ? addRanks(indices.row, axis, 0) : undefined;
  if (data.kind !== 'sent') return [sent(rank, fromIndices)];
  if (indices.kind === 'sent' || data.row === undefined) return [sent(rank, undefined)];
  return [sent(rank, data.row < axis ? data.row : addRanks(data.row, indices.rank, -1))];
};

function addRanks(a: number | undefined, b: number | undefined, c: number): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b + c;
}

const gatherElements: Rule = (call, value) => {
  const axis = call.whole('axis') ?? 0;
  if (value.row !== undefined && axisOf(axis, value.rank) === value.row) {
    return `picks along axis ${value.row}, which holds the rows`;
  }
  return [sent(value.rank, value.row)];
};

const reverseSequence: Rule = (call, value) => {
  const because = alongRows(value, [call.whole('time_axis') ?? 0]);
  return because ?? [sent(value.rank, value.row)];
};

const trilu: Rule = (_call, value) => alongRows(value, [-2, -1]) ?? [sent(value.rank, value.row)];

export const SHAPE_RULES: Readonly<Record<string, Rule>> = {
  Transpose: transpose,
  Reshape: reshape,
  Flatten: flatten,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Slice: slice,
  Split: split,
  SplitToSequence: split,
  Pad: pad,
  Tile: tile,
  Expand: expand,
  Gather: gather,
  GatherElements: gatherElements,
  ScatterElements: gatherElements,
  Scatter: gatherElements,
  ReverseSequence: reverseSequence,
  Trilu: trilu,
};

function countUp(size: number): readonly number[] {
  return Array.from({ length: size }, (_, index) => index);
}

function countdown(size: number): readonly number[] {
  return countUp(size).toReversed();
}
