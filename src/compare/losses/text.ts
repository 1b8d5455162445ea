import { ServeError } from '../../core/errors.ts';
import { CELLS_MAX, textDistance } from '../edit-distance.ts';
import { textPerRow } from '../text-rows.ts';
import { type LossRule, lossByRow, quoted } from './loss-rule.ts';

/** A longer text is no label. */
const LABEL_MAX = 65_536;

/**
 * Character error rate: the characters to insert, delete or replace, in parts of the label's, at most 1. To an empty label all but an
 * empty text is wholly wrong.
 */
export function textLoss(output: string): LossRule {
  return lossByRow<string, string>({
    rowsOf: (outputs) => {
      const tensor = outputs.find(({ name }) => name === output);
      return tensor && (textPerRow(tensor) ?? 'unreadable');
    },
    isRow: (stored): stored is string => typeof stored === 'string',
    labelOf: (label) => {
      if (typeof label === 'string' && label.length <= LABEL_MAX) return label.normalize('NFC');
      throw new ServeError(
        'invalid_input',
        `label: expected text of at most ${LABEL_MAX} characters, found ${quoted(label)}`,
      );
    },
    loss: (row, wanted) => {
      const { edits, lengths } = textDistance(wanted, row, { left: CELLS_MAX });
      return Math.min(1, edits / Math.max(1, lengths[0]));
    },
    // A label may be as short as what differs.
    apart: (a, b) => (a === b ? 0 : 1),
  });
}
