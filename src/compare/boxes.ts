import { numbersOf } from '../core/numbers.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Outputs } from './row-comparator.ts';

/** A box by two corners, in the model's own unit, and the number of its class. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number, kind: number];

export type BoxesOptions = {
  /** The output with the boxes: [K,4] or [N,K,4], or [K,6] or [N,K,6] where score and class stand behind each box. */
  readonly output: string;
  /** Outputs with the score and the class of each box, [K] or [N,K]; by default those with the usual names. */
  readonly scores?: string | undefined;
  readonly classes?: string | undefined;
  /** Boxes with a lower score are no answer; 0.5 by default. */
  readonly threshold?: number | undefined;
  /** `corners`, the default: x1, y1, x2, y2 (or y1, x1, y2, x2). `center`: the middle, then width and height. */
  readonly boxes?: 'corners' | 'center' | undefined;
};

const THRESHOLD = 0.5;

/** Two boxes are the same one from this overlap on, as in Pascal VOC. */
export const IOU = 0.5;

/** As TensorFlow's object detection API, torchvision and Hugging Face's exporters name them. */
const SCORES = ['scores', 'detection_scores', 'score'];
const CLASSES = ['labels', 'classes', 'detection_classes', 'label'];
const COUNTS = ['num_detections', 'num_dets'];

/** Pairs of boxes are looked at one by one; no picture that people look at has more. */
const BOXES_MAX = 500;

/** All outputs that may be read, that of the boxes first. */
export function outputsOfBoxes({ output, scores, classes }: BoxesOptions): [string, ...string[]] {
  return [
    output,
    ...(scores === undefined ? SCORES : [scores]),
    ...(classes === undefined ? CLASSES : [classes]),
    ...COUNTS,
  ].filter((name, at, all) => all.indexOf(name) === at) as [string, ...string[]];
}

/**
 * The boxes of each row that reach the threshold; of more than 500 those with the best scores. `nonFinite` for a row in which one of
 * them has no finite corner, or any score is NaN. Undefined: the outputs have other shapes than boxes do.
 */
export function boxesPerRow(
  outputs: Outputs,
  options: BoxesOptions,
): readonly (readonly Box[] | 'nonFinite')[] | undefined {
  const table = tableOf(outputs(options.output));
  if (table === undefined) return undefined;
  const { rows, boxes } = table;
  const scores = columnOf(outputs, { names: namesOf(options.scores, SCORES), rows, boxes });
  const classes = columnOf(outputs, { names: namesOf(options.classes, CLASSES), rows, boxes });
  const counts = columnOf(outputs, { names: COUNTS, rows, boxes: 1 });
  if (scores === 'misshapen' || classes === 'misshapen' || counts === 'misshapen') return undefined;
  return Array.from({ length: rows }, (_, row) =>
    rowOf({ ...table, scores, classes, row, count: counts?.[row] ?? boxes }, options),
  );
}

type Table = {
  readonly values: ArrayLike<number>;
  readonly rows: number;
  /** Boxes of a row, and numbers of a box. */
  readonly boxes: number;
  readonly width: number;
};

function tableOf(tensor: Tensor | undefined): Table | undefined {
  const values = tensor && numbersOf(tensor);
  if (tensor === undefined || values === undefined) return undefined;
  const [rows, boxes, width] = tensor.shape.length === 2 ? [1, ...tensor.shape] : tensor.shape;
  if (tensor.shape.length > 3 || rows === undefined || boxes === undefined) return undefined;
  return width === 4 || width === 6 ? { values, rows, boxes, width } : undefined;
}

function namesOf(named: string | undefined, usual: readonly string[]): readonly string[] {
  return named === undefined ? usual : [named];
}

type Column = { readonly names: readonly string[]; readonly rows: number; readonly boxes: number };

/** One number per box; undefined: there is no such output. */
function columnOf(
  outputs: Outputs,
  { names, rows, boxes }: Column,
): ArrayLike<number> | undefined | 'misshapen' {
  const tensor = names.map(outputs).find((each) => each !== undefined);
  if (tensor === undefined) return undefined;
  const values = numbersOf(tensor);
  return values?.length === rows * boxes ? values : 'misshapen';
}

type RowOfTable = Table & {
  readonly scores: ArrayLike<number> | undefined;
  readonly classes: ArrayLike<number> | undefined;
  readonly row: number;
  readonly count: number;
};

function rowOf(table: RowOfTable, options: BoxesOptions): readonly Box[] | 'nonFinite' {
  const { threshold = THRESHOLD } = options;
  const found: { readonly box: Box; readonly score: number }[] = [];
  for (let at = 0; at < Math.min(table.count, table.boxes); at += 1) {
    const score = scoreOf(table, at);
    if (Number.isNaN(score)) return 'nonFinite';
    if (score < threshold) continue;
    const box = boxOf(table, at, options);
    if (!box.every(Number.isFinite)) return 'nonFinite';
    found.push({ box, score });
  }
  if (found.length > BOXES_MAX) found.sort((a, b) => b.score - a.score);
  return found.slice(0, BOXES_MAX).map(({ box }) => box);
}

function scoreOf({ values, width, boxes, scores, row }: RowOfTable, at: number): number {
  if (width === 6) return values[(row * boxes + at) * width + 4] ?? Number.NaN;
  return scores === undefined ? 1 : (scores[row * boxes + at] ?? Number.NaN);
}

function boxOf(
  { values, width, boxes, classes, row }: RowOfTable,
  at: number,
  { boxes: form = 'corners' }: BoxesOptions,
): Box {
  const start = (row * boxes + at) * width;
  const value = (offset: number): number => values[start + offset] ?? Number.NaN;
  const kind = width === 6 ? value(5) : (classes?.[row * boxes + at] ?? 0);
  const [a, b, c, d] = [value(0), value(1), value(2), value(3)];
  if (form === 'corners') return [a, b, c, d, kind];
  return [a - c / 2, b - d / 2, a + c / 2, b + d / 2, kind];
}

/** The area that two boxes share, over the area that they cover together, in [0, 1]; 0 where neither has any. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  return shared / (areaOf(a) + areaOf(b) - shared);
}

function areaOf([x1, y1, x2, y2]: Box): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
}

/**
 * 1 - F1 of two sets of boxes, where boxes of one class match that overlap by `iou` at least, the most overlapping first. Symmetric, and
 * the same for any order of the boxes; 0 where both are empty.
 */
export function setDistance(a: readonly Box[], b: readonly Box[], iou: number): number {
  if (a.length + b.length === 0) return 0;
  const overlaps: { readonly i: number; readonly j: number; readonly overlap: number }[] = [];
  a.forEach((left, i) => {
    b.forEach((right, j) => {
      if (left[4] !== right[4]) return;
      const overlap = intersectionOverUnion(left, right);
      if (overlap >= iou) overlaps.push({ i, j, overlap });
    });
  });
  overlaps.sort((left, right) => right.overlap - left.overlap);
  const [ofA, ofB] = [new Set<number>(), new Set<number>()];
  for (const { i, j } of overlaps) {
    if (ofA.has(i) || ofB.has(j)) continue;
    ofA.add(i);
    ofB.add(j);
  }
  return 1 - (2 * ofA.size) / (a.length + b.length);
}
