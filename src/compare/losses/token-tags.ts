import { ServeError } from '../../core/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { tagsOf } from '../token-tags.ts';
import { type LossRule, lossByRow, quoted } from './loss-rule.ts';

/** Tokens that have no tag of their own, such as padding and the later parts of a word: as in the labels of Hugging Face. */
const IGNORED = -100;

/** The share of a row's tokens with another tag than the label says. A label lists the tags of all tokens, by index or name. */
export function tokenTagsLoss(output: string, names: readonly string[] | undefined): LossRule {
  // The first of equal names is the one that counts.
  const indexes = new Map(names?.map((name, at) => [name, at] as const).reverse());
  return lossByRow<readonly number[], readonly number[]>({
    rowsOf: (outputs) => {
      const tensor = outputs.find(({ name }) => name === output);
      return tensor && (tagsPerRow(tensor) ?? 'unreadable');
    },
    isRow: (stored): stored is readonly number[] =>
      Array.isArray(stored) && stored.every((tag) => typeof tag === 'number'),
    isListPerRow: true,
    labelOf: (label) => {
      const tags = (Array.isArray(label) ? label : []).map((tag) => indexes.get(tag) ?? tag);
      if (tags.every((tag) => isTag(tag, names?.length)) && tags.some((tag) => tag !== IGNORED))
        return tags;
      throw new ServeError(
        'invalid_input',
        `label: expected a list with the tag of each token, by index${names ? ' or name' : ''}, or ${IGNORED} for one to ignore, found ${quoted(label)}`,
      );
    },
    loss: (row, wanted) => {
      if (row.length !== wanted.length) {
        throw new ServeError(
          'invalid_input',
          `label: expected the tags of ${row.length} tokens, found ${wanted.length}`,
        );
      }
      const counted = wanted.filter((tag) => tag !== IGNORED).length;
      const wrong = wanted.filter((tag, at) => tag !== IGNORED && tag !== row[at]).length;
      return wrong / counted;
    },
    // A label may count the one token that differs.
    apart: (a, b) => (a.length === b.length && a.every((tag, at) => tag === b[at]) ? 0 : 1),
  });
}

function isTag(tag: unknown, tags: number | undefined): boolean {
  if (typeof tag !== 'number' || !Number.isSafeInteger(tag)) return false;
  return tag === IGNORED || (tag >= 0 && tag < (tags ?? Infinity));
}

function tagsPerRow(tensor: Tensor): readonly (readonly number[])[] | undefined {
  const of = tagsOf(tensor);
  if (of === undefined) return undefined;
  const { values, rows, tokens } = of;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: tokens }, (__, token) => values[row * tokens + token] ?? -1),
  );
}
