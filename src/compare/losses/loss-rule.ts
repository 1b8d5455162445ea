import { ServeError } from '../../core/errors.ts';
import type { Observation } from '../../core/outcome.ts';
import type { Tensor } from '../../core/tensor.ts';

/** What a loss needs of an answer, as JSON: a value per row in the form of its family, or why there is none. */
export type KeptAnswer = readonly unknown[] | 'failed' | 'unreadable';

/** How one version's answers are scored against labels. */
export type LossRule = {
  /** Throws ServeError invalid_input for a label that no answer of this version could match. */
  readonly check: (label: unknown) => void;
  /** What the label says, as JSON: the same for the name of a class and its index. Throws as `check` does. */
  readonly canonical: (label: unknown) => unknown;
  /**
   * Reduces an answer to what its loss needs, so that it can be kept until the label comes. Undefined where the answer lacks the
   * output (the caller did not ask for it).
   */
  readonly keep: (observation: Observation) => KeptAnswer | undefined;
  /** In [0, 1]; 1 for a failed answer. Throws ServeError invalid_input for a label that does not fit the answer. */
  readonly loss: (answer: KeptAnswer, label: unknown) => number;
  /** How far the losses of two answers can be apart, for any label, in [0, 1]. 0: they are the same to every label. */
  readonly apart: (a: KeptAnswer, b: KeptAnswer) => number;
  /** A loss has values between 0 and 1, so that hardly two answers are the same to every label. */
  readonly isGraded: boolean;
  /** True for what `keep` may have written. */
  readonly isKept: (stored: unknown) => stored is KeptAnswer;
};

/** A family's loss of one row. */
export type RowLoss<Row, Label> = {
  /** The answer's rows; undefined: the outputs lack what is read; `unreadable`: they hold something else. */
  readonly rowsOf: (outputs: readonly Tensor[]) => readonly Row[] | undefined | 'unreadable';
  readonly isRow: (stored: unknown) => stored is Row;
  /** Reads the label of one row, into what has a JSON form. Throws ServeError invalid_input that names expected and found. */
  readonly labelOf: (label: unknown) => Label;
  /** The label of a row is a list, and of no lists: a list of anything else is that of one row. */
  readonly isListPerRow?: true;
  /** In [0, 1]. Throws ServeError invalid_input for a label that does not fit this row. */
  readonly loss: (row: Row, label: Label) => number;
  /** How far the losses of two rows can be apart, for any label, in [0, 1]; 0 only where they are equal for all. */
  readonly apart: (a: Row, b: Row) => number;
  /** A row's loss has values between 0 and 1; by default not. */
  readonly isGraded?: boolean;
};

/** More text than this of one answer would fill the store with few answers. */
const KEPT_TEXT_MAX = 65_536;

/**
 * The mean loss over the rows of an answer. A label is that of the one row, or a list with one per row. What failed, and what
 * cannot be read, is as wrong as can be, for any label.
 */
export function lossByRow<Row, Label>(of: RowLoss<Row, Label>): LossRule {
  return {
    check: (label) => {
      labelsOf(of, label, undefined);
    },
    canonical: (label) => labelsOf(of, label, undefined),
    keep: (observation) => {
      if (observation.kind === 'failure') return 'failed';
      const rows = of.rowsOf(observation.outputs);
      return rows === undefined || rows === 'unreadable' || isShort(rows) ? rows : 'unreadable';
    },
    loss: (answer, label) => {
      const labels = labelsOf(of, label, typeof answer === 'string' ? undefined : answer.length);
      if (typeof answer === 'string') return 1;
      const rows = answer.filter(of.isRow);
      const sum = labels.reduce((total, wanted, at) => total + lossAt(of, rows[at], wanted), 0);
      return sum / labels.length;
    },
    apart: (a, b) => apartByRow(of, a, b),
    isGraded: of.isGraded ?? false,
    isKept: (stored): stored is KeptAnswer =>
      stored === 'failed' ||
      stored === 'unreadable' ||
      (Array.isArray(stored) && stored.every(of.isRow)),
  };
}

/** What failed has loss 1 for any label, whichever way it failed. */
function apartByRow<Row, Label>(of: RowLoss<Row, Label>, a: KeptAnswer, b: KeptAnswer): number {
  if (typeof a === 'string' || typeof b === 'string') return typeof a === typeof b ? 0 : 1;
  const [left, right] = [a.filter(of.isRow), b.filter(of.isRow)];
  if (left.length !== right.length) return 1;
  const sum = left.reduce((total, row, at) => {
    const other = right[at];
    return total + (other === undefined ? 1 : of.apart(row, other));
  }, 0);
  return sum / Math.max(1, left.length);
}

function lossAt<Row, Label>({ loss }: RowLoss<Row, Label>, row: Row | undefined, label: Label) {
  return row === undefined ? 1 : loss(row, label);
}

/** Numbers alone are bounded by their tensor; what else is kept is measured. */
function isShort(rows: readonly unknown[]): boolean {
  if (rows.every((row) => typeof row === 'number')) return true;
  return JSON.stringify(rows).length <= KEPT_TEXT_MAX;
}

/** `rows` undefined: not known yet, so either form will do. */
function labelsOf<Row, Label>(
  { labelOf, isListPerRow }: RowLoss<Row, Label>,
  label: unknown,
  rows: number | undefined,
): readonly Label[] {
  if (rows === undefined || rows === 1) {
    const alone = attempt(() => labelOf(label));
    if (alone.label !== undefined) return [alone.label];
    const isListOfRows = Array.isArray(label) && (!isListPerRow || label.some(Array.isArray));
    if (!isListOfRows) throw alone.error;
  }
  const labels = Array.isArray(label) ? label.map(labelOf) : [labelOf(label)];
  if (labels.length === (rows ?? labels.length) && labels.length > 0) return labels;
  throw new ServeError(
    'invalid_input',
    `label: expected one label per row, ${rows ?? 'at least 1'}, found ${labels.length}`,
  );
}

function attempt<T>(read: () => T): { readonly label?: T; readonly error?: unknown } {
  try {
    return { label: read() };
  } catch (error) {
    return { error };
  }
}

/** Labels come from outside: a message shows no more than the beginning of one. */
export function quoted(label: unknown): string {
  const text = jsonOf(label);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** Lists in lists, thousands deep, have no JSON. */
function jsonOf(label: unknown): string {
  try {
    return JSON.stringify(label) ?? String(label);
  } catch {
    return 'a value that is nested too deeply';
  }
}
