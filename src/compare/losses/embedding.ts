import { ServeError } from '../../core/errors.ts';
import { typedView } from '../../core/numbers.ts';
import type { Tensor, TensorSpec } from '../../core/tensor.ts';
import { angleOf, vectorsOf } from '../vectors.ts';
import { type LossRule, lossByRow, quoted } from './loss-rule.ts';

/**
 * (1 - cosine) / 2 to the vector that a label gives, in [0, 1]; lengths do not count. A vector of zeros, or with NaN, is as wrong as
 * can be. A row with a vector per token is read as the mean of those that are not zeros (mean pooling), padding that is not zeros
 * included.
 *
 * A row is kept as whole numbers of 16 bits, in parts of its largest element, as base64: 2 KiB for 768 numbers. The cosine is then off
 * by less than 1e-6.
 */
export function embeddingLoss({
  name: output,
  shape,
}: Pick<TensorSpec, 'name' | 'shape'>): LossRule {
  const declared = shape.at(-1) ?? -1;
  return lossByRow<string, readonly number[]>({
    rowsOf: (outputs) => {
      const tensor = outputs.find(({ name }) => name === output);
      return tensor && (keptRows(tensor) ?? 'unreadable');
    },
    isRow: (stored): stored is string => typeof stored === 'string',
    labelOf: (label) => {
      const vector = vectorOf(label);
      if (declared > 0) checkSize(vector, declared);
      return vector;
    },
    loss: (row, wanted) => {
      const b = unpacked(row);
      checkSize(wanted, b.length);
      const angle = angleOf({ a: wanted, b, start: 0, size: b.length });
      if (typeof angle === 'string') return angle === 'equal' ? 0 : 1;
      return (1 - angle.cosine) / 2;
    },
    apart: (a, b) => (a === b ? 0 : mostBetween(unpacked(a), unpacked(b))),
    isGraded: true,
  });
}

function checkSize(label: readonly number[], size: number): void {
  if (label.length === size) return;
  throw new ServeError(
    'invalid_input',
    `label: expected a vector of ${size} numbers, found ${label.length}`,
  );
}

function keptRows(tensor: Tensor): readonly string[] | undefined {
  const of = vectorsOf(tensor);
  if (of === undefined) return undefined;
  const { values, rows, tokens, size } = of;
  return Array.from({ length: rows }, (_, row) => {
    const pooled = new Float64Array(size);
    for (let token = row * tokens; token < (row + 1) * tokens; token += 1) {
      // A token of zeros adds nothing, and the length of the mean does not count.
      for (let at = 0; at < size; at += 1)
        pooled[at] = (pooled[at] ?? 0) + (values[token * size + at] ?? Number.NaN);
    }
    return packed(pooled);
  });
}

/** All zeros where an element is not finite: of no vector the direction. */
function packed(vector: Float64Array): string {
  const greatest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const parts = new Int16Array(vector.length);
  if (Number.isFinite(greatest) && greatest > 0) {
    for (let at = 0; at < parts.length; at += 1)
      parts[at] = Math.round(((vector[at] ?? 0) / greatest) * 32_767);
  }
  return Buffer.from(parts.buffer).toString('base64');
}

function unpacked(row: string): Int16Array {
  return typedView('INT16', Buffer.from(row, 'base64'));
}

/** Cosines to a third vector differ by at most the distance of the two unit vectors, and do for one along it. */
function mostBetween(a: Int16Array, b: Int16Array): number {
  if (a.length !== b.length) return 1;
  const angle = angleOf({ a, b, start: 0, size: a.length });
  if (angle === 'equal' || angle === 'zero') return 0;
  return typeof angle === 'string' ? 1 : Math.sqrt((1 - angle.cosine) / 2);
}

function vectorOf(label: unknown): readonly number[] {
  const isVector =
    Array.isArray(label) &&
    label.every((each) => typeof each === 'number' && Number.isFinite(each)) &&
    label.some((each) => each !== 0);
  if (isVector) return label as readonly number[];
  throw new ServeError(
    'invalid_input',
    `label: expected a vector, as a list of numbers that are not all 0, found ${quoted(label)}`,
  );
}
