import { ServeError } from '../../core/errors.ts';
import type { Tensor, TensorSpec } from '../../core/tensor.ts';
import { elementPerRow, textOf } from '../elements.ts';
import { type LossRule, lossByRow, quoted } from './loss-rule.ts';

/** A longer text is no label. */
const LABEL_MAX = 1_024;

/**
 * 0 or 1 by the label that the answer holds. A label is given as the model writes it, as a number or text, or by its class: an index for
 * a model that writes names, and a name for one that writes indexes.
 */
export function labelLoss(
  { name, dtype }: Pick<TensorSpec, 'name' | 'dtype'>,
  names: readonly string[] | undefined,
): LossRule {
  const written = dtype === 'BYTES' ? asName(names) : asIndex(names);
  return lossByRow<string, string>({
    rowsOf: (outputs) => {
      const tensor = outputs.find((output) => output.name === name);
      return tensor && (textPerRow(tensor) ?? 'unreadable');
    },
    isRow: (stored): stored is string => typeof stored === 'string',
    labelOf: (label) => {
      const text =
        typeof label === 'string' || Number.isSafeInteger(label)
          ? written(label as string | number)
          : undefined;
      if (text !== undefined && text.length <= LABEL_MAX) return text;
      throw new ServeError(
        'invalid_input',
        `label: expected ${expectedOf(dtype, names)}, found ${quoted(label)}`,
      );
    },
    loss: (row, wanted) => (row === wanted ? 0 : 1),
    apart: (a, b) => (a === b ? 0 : 1),
  });
}

/** The label as the answer has it; undefined: no answer could. */
type Written = (label: string | number) => string | undefined;

function asName(names: readonly string[] | undefined): Written {
  if (names === undefined) return String;
  const known = new Set(names);
  return (label) => {
    if (typeof label === 'number') return names[label];
    return known.has(label) ? label : undefined;
  };
}

function asIndex(names: readonly string[] | undefined): Written {
  // The first of equal names is the one that counts.
  const indexes = new Map(names?.map((name, at) => [name, String(at)] as const).reverse());
  return (label) => {
    if (typeof label === 'number') return String(label);
    return indexes.get(label) ?? (/^(0|-?[1-9]\d{0,19})$/.test(label) ? label : undefined);
  };
}

function expectedOf(dtype: TensorSpec['dtype'], names: readonly string[] | undefined): string {
  const listed =
    names && `one of ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''}`;
  if (dtype === 'BYTES') return listed ? `${listed}, or its index` : 'text, as the model writes it';
  return `a whole number, as the model writes it${listed ? `, or ${listed}` : ''}`;
}

function textPerRow(tensor: Tensor): readonly string[] | undefined {
  const texts = elementPerRow(tensor)?.map((element) => textOf(element, tensor.dtype));
  return texts?.every((text) => text.length <= LABEL_MAX) ? texts : undefined;
}
