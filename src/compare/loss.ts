import { ServeError } from '../core/errors.ts';
import { numbersOf } from '../core/numbers.ts';
import type { Observation } from '../core/outcome.ts';
import { formatShape, type Signature, type Tensor } from '../core/tensor.ts';
import { classScores, isClassification } from './choose-comparator.ts';
import { rowsOf } from './layout.ts';
import { topClass } from './ranking.ts';

/** What a loss needs of an answer, as JSON: the top class of each row, or why there is none. */
export type KeptAnswer = readonly number[] | 'failed' | 'unreadable';

/** True for what `keep` may have written. */
export function isKeptAnswer(stored: unknown): stored is KeptAnswer {
  if (stored === 'failed' || stored === 'unreadable') return true;
  return Array.isArray(stored) && stored.every((each) => typeof each === 'number');
}

/** How one version's answers are scored against labels. */
export type LossRule = {
  /** Throws ServeError invalid_input for a label that no answer of this version could match. */
  readonly check: (label: unknown) => void;
  /**
   * Reduces an answer to what its loss needs, so that it can be kept until the label comes. Undefined where the answer lacks the
   * output (the caller did not ask for it).
   */
  readonly keep: (observation: Observation) => KeptAnswer | undefined;
  /** In [0, 1]; 1 for a failed answer. Throws ServeError invalid_input for a label that does not fit the answer. */
  readonly loss: (answer: KeptAnswer, label: unknown) => number;
};

export type LossChoice = {
  readonly task: string | undefined;
  /** Class names in the order of the scores. */
  readonly labels: readonly string[] | undefined;
  readonly signature: Signature;
  /** The output with the class scores, as in `chooseComparator`. */
  readonly output?: string | undefined;
};

/**
 * The loss of a task, or undefined where labels say nothing that is measured here. Classification: 0 or 1 by the top
 * class, mean over rows. A label is a class index or a class name, or an array of them with one per row.
 */
export function chooseLoss(choice: LossChoice): LossRule | undefined {
  const spec = classScores(choice.signature, choice.output);
  if (!isClassification(choice.task) || spec === undefined) return undefined;
  const declared = spec.shape.at(-1) ?? -1;
  const classes = declared > 0 ? declared : choice.labels?.length;
  const names: ClassNames | undefined = choice.labels && {
    names: choice.labels,
    // The first of equal names is the one that counts.
    indexes: new Map(choice.labels.map((name, at) => [name, at] as const).reverse()),
  };
  const read = (label: unknown): readonly number[] =>
    (Array.isArray(label) ? label : [label]).map((one) => classOf(one, names, classes));
  return {
    check: (label) => {
      read(label);
    },
    keep: (observation) => {
      if (observation.kind === 'failure') return 'failed';
      const tensor = observation.outputs.find((output) => output.name === spec.name);
      return tensor && (topClassPerRow(tensor) ?? 'unreadable');
    },
    loss: (answer, label) => lossOfClasses(answer, read(label)),
  };
}

/** The loss of outputs at hand; see `chooseLoss`. Throws ServeError: unsupported for a task without a loss, invalid_input. */
export function lossOf(choice: LossChoice, outputs: readonly Tensor[], label: unknown): number {
  const rule = chooseLoss(choice);
  const kept = rule?.keep({ kind: 'answer', outputs, computeMs: 0 });
  if (rule === undefined || kept === undefined) {
    throw new ServeError(
      'unsupported',
      `labels are scored for classification with an output of class scores; task is ${choice.task ?? 'not given'}`,
    );
  }
  return rule.loss(kept, label);
}

/** What failed, and what is no table of scores, is as wrong as can be, for any label. */
function lossOfClasses(answer: KeptAnswer, wanted: readonly number[]): number {
  if (typeof answer === 'string') return 1;
  if (wanted.length !== answer.length || wanted.length === 0) {
    throw new ServeError(
      'invalid_input',
      `label: expected one class per row, ${answer.length}, found ${wanted.length}`,
    );
  }
  return wanted.filter((k, row) => k !== answer[row]).length / wanted.length;
}

function topClassPerRow(tensor: Tensor): readonly number[] | undefined {
  const size = rowsOf(tensor.shape);
  const scores = numbersOf(tensor);
  if (size === undefined || scores === undefined) return undefined;
  const { rows, classes } = size;
  const tops: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    tops.push(topClass({ scores, start: row * classes, classes }));
  }
  return tops;
}

/** The names of the classes, and where each stands: a label may be a list of thousands of names. */
type ClassNames = {
  readonly names: readonly string[];
  readonly indexes: ReadonlyMap<string, number>;
};

function classOf(
  label: unknown,
  labels: ClassNames | undefined,
  classes: number | undefined,
): number {
  if (typeof label === 'string') {
    const index = labels?.indexes.get(label);
    if (index !== undefined) return index;
    const expected =
      labels === undefined
        ? 'a class index (the model has no label names)'
        : `one of ${list(labels.names)}`;
    throw new ServeError('invalid_input', `label: expected ${expected}, found ${quote(label)}`);
  }
  const isIndex = typeof label === 'number' && Number.isInteger(label) && label >= 0;
  if (!isIndex || (classes !== undefined && label >= classes)) {
    const range = classes === undefined ? 'from 0' : formatShape([0, classes - 1]);
    throw new ServeError(
      'invalid_input',
      `label: expected a class name or a whole number ${range}, found ${quote(label)}`,
    );
  }
  return label;
}

/** Labels come from outside: a message shows no more than the beginning of one. */
function quote(label: unknown): string {
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

function list(labels: readonly string[]): string {
  const shown = labels.slice(0, 20).map((label) => `"${label}"`);
  return shown.join(', ') + (labels.length > shown.length ? ', ...' : '');
}
