/** Operators that move axes about: where the rows are afterwards. */
import { dependsOnRows, type Extent, holdsRows } from './extent.ts';
import { gatherND, scatterND } from './place-rules.ts';
import {
  alongRows,
  axisOf,
  type Call,
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

const reshape: Rule = (call, value) => {
  const target = call.inputs[1]?.content ?? call.wholes('shape');
  if (!target) return [SENT];
  return [sent(target.length, rowAfterReshape(target, value, call.whole('allowzero')))];
};

/**
 * A kept size (0) keeps the rows. Otherwise they are where the target names their number or has the free size (-1), alone or
 * merged: rows that lay in front still do, if only ones come before them.
 */
function rowAfterReshape(
  target: readonly Extent[],
  { row, isInFront }: Traced,
  allowZero = 0,
): number | undefined {
  if (row === undefined) return undefined;
  if (allowZero === 0 && target.slice(0, row + 1).every((size) => size === 0)) return row;
  const named = target.findIndex(holdsRows);
  const found = named >= 0 ? named : target.indexOf(-1);
  if (found < 0) return undefined;
  if (row === 0 || isInFront) {
    return target.slice(0, found).every((size) => size === 1) ? found : undefined;
  }
  // Whether the axes in front of the rows are still there is unknown without sizes: that is left to the probe.
  const isMerged = target[found] === 'times rows' && target.length === 2;
  const isBehind = found > 0 && (named >= 0 || found === row);
  return isBehind || isMerged ? found : undefined;
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
  const isInFront = row === 0 && kept[0] !== 0;
  return [{ ...sent(wide, row === undefined ? undefined : kept[row]), isInFront }];
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
  if (!axes || value.row === undefined) return kept;
  const at = axes.findIndex((axis) => axisOf(axis, value.rank) === value.row);
  if (at < 0) return kept;
  const end = ends?.[at] ?? call.inputs[2]?.content?.[at];
  const isToTheEnd =
    (end !== undefined && holdsRows(end)) || (typeof end === 'number' && end >= TO_THE_END);
  const isWhole = starts?.[at] === 0 && isToTheEnd && (steps?.[at] ?? 1) === 1;
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
  const at = row === undefined ? undefined : row + wide - rank;
  const isElsewhere = target.some(
    (size, axis) => dependsOnRows([size]) && axis + wide - target.length !== at,
  );
  return [sent(wide, isElsewhere ? undefined : at)];
};

/** Rows that meet along their own axis: two requests would give the sum of what each gives twice. */
export const concat = (call: Call): Step => {
  const axis = call.whole('axis') ?? 1;
  const values = call.inputs.filter((each) => each?.kind === 'sent');
  const rank = values.map((each) => each?.rank).find((each) => each !== undefined);
  const rows = values.map((each) => each?.row);
  const [row] = rows;
  const [first] = call.inputs;
  const isLast = axis === -1 || (rank !== undefined && axis === rank - 1);
  if (first?.isIota && first.row !== undefined && isLast) {
    return [{ ...sent(rank, first.row), ownPlace: call.inputs.length }];
  }
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
  GatherND: gatherND,
  ScatterND: scatterND,
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
