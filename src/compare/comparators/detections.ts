import { type BoxesOptions, boxesPerRow, IOU, outputsOfBoxes, setDistance } from '../boxes.ts';
import type { Comparator } from '../comparator.ts';
import { rowComparator } from '../row-comparator.ts';

export type DetectionsOptions = BoxesOptions & {
  /** 1 - F1 up to which two sets of boxes count as the same answer; 0.1 by default. */
  readonly tolerance?: number | undefined;
  /** How much two boxes must overlap to be the same one, as intersection over union; 0.5 by default, as in Pascal VOC. */
  readonly iou?: number | undefined;
};

const TOLERANCE = 0.1;

/**
 * For sets of boxes: 1 - F1 of a picture's boxes, with stable's in the place of the truth. The order of boxes does not matter, and
 * another number of them is no other layout.
 */
export function detections({
  tolerance = TOLERANCE,
  iou = IOU,
  ...boxes
}: DetectionsOptions): Comparator {
  return rowComparator({
    name: `detections(tolerance=${tolerance}, iou=${iou})`,
    outputs: outputsOfBoxes(boxes),
    tolerance,
    difference: 'boxes',
    isFixedLayout: false,
    distances: (reference, candidate) => {
      const [a, b] = [boxesPerRow(reference, boxes), boxesPerRow(candidate, boxes)];
      if (a === undefined || b === undefined || a.length !== b.length) return undefined;
      return a.map((row, at) => {
        const other = b[at] ?? 'nonFinite';
        return row === 'nonFinite' || other === 'nonFinite'
          ? Number.NaN
          : setDistance(row, other, iou);
      });
    },
  });
}
