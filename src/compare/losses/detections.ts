import { ServeError } from '../../core/errors.ts';
import { type Box, type BoxesOptions, boxesPerRow, IOU, setDistance } from '../boxes.ts';
import { type LossRule, lossByRow, quoted } from './loss-rule.ts';

export type DetectionLossOptions = BoxesOptions & {
  /** How much a box must overlap that of the label, as intersection over union; 0.5 by default. */
  readonly iou?: number | undefined;
};

/** More boxes than this are no label of a person. */
const LABEL_BOXES_MAX = 500;

/**
 * 1 - F1 of a picture's boxes. A label is the list of its boxes, `{ box: [x1, y1, x2, y2], class }`, by corners in the unit and the order
 * that the model writes; `class` is an index or a name, and may be left out where there is one. An empty list: nothing is there.
 */
export function detectionLoss(
  { iou = IOU, ...boxes }: DetectionLossOptions,
  names: readonly string[] | undefined,
): LossRule {
  return lossByRow<readonly Box[], readonly Box[]>({
    rowsOf: (outputs) => {
      if (!outputs.some(({ name }) => name === boxes.output)) return undefined;
      const find = (wanted: string) => outputs.find(({ name }) => name === wanted);
      const rows = boxesPerRow(find, boxes);
      const read = rows?.filter((row): row is readonly Box[] => row !== 'nonFinite');
      return read !== undefined && read.length === rows?.length ? read : 'unreadable';
    },
    isRow: (stored): stored is readonly Box[] => Array.isArray(stored) && stored.every(isBox),
    labelOf: (label) => labelOf(label, names),
    loss: (row, wanted) => setDistance(row, wanted, iou),
    apart: (a, b) => (JSON.stringify(a) === JSON.stringify(b) ? 0 : 1),
    isGraded: true,
  });
}

function isBox(stored: unknown): stored is Box {
  return (
    Array.isArray(stored) &&
    stored.length === 5 &&
    stored.every((each) => typeof each === 'number' && Number.isFinite(each))
  );
}

function labelOf(label: unknown, names: readonly string[] | undefined): readonly Box[] {
  if (!Array.isArray(label) || label.length > LABEL_BOXES_MAX || label.some(Array.isArray)) {
    throw refusal(`a list of at most ${LABEL_BOXES_MAX} boxes { box, class }`, label);
  }
  return label.map((each: unknown) => {
    const { box, class: kind = 0 } = partsOf(each);
    const read = Array.isArray(box) ? [...(box as readonly unknown[]), classOf(kind, names)] : [];
    if (isBox(read)) return read;
    throw refusal('{ box: [x1, y1, x2, y2], class }', each);
  });
}

function partsOf(label: unknown): { readonly box?: unknown; readonly class?: unknown } {
  return typeof label === 'object' && label !== null ? label : {};
}

function classOf(kind: unknown, names: readonly string[] | undefined): unknown {
  if (typeof kind !== 'string') return kind;
  const index = names?.indexOf(kind) ?? -1;
  if (index >= 0) return index;
  throw refusal(
    names === undefined ? 'a class index (the model has no label names)' : 'a class name',
    kind,
  );
}

function refusal(expected: string, found: unknown): ServeError {
  return new ServeError('invalid_input', `label: expected ${expected}, found ${quoted(found)}`);
}
