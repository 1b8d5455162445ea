import { elementCount, formatShape, type Tensor } from '../core/tensor.ts';

/**
 * What about the shapes of a request may have made the model fail, in a sentence to be put behind the runtime's own; empty: they
 * are as those of any request. Where no rows are declared, such requests are not refused, as the model may well take them.
 */
export function shapeHint(inputs: readonly Tensor[]): string {
  const empty = inputs.find(({ shape }) => elementCount(shape) === 0);
  if (empty) {
    return (
      `. Input '${empty.name}' has no elements, found shape ${formatShape(empty.shape)}. ` +
      'To have requests without rows refused before they are run, declare batch.rowsMax (max_batch_size)'
    );
  }
  const [first, ...others] = inputs.filter(({ shape }) => shape.length > 0);
  const other = others.find(({ shape }) => shape[0] !== first?.shape[0]);
  if (!first || !other) return '';
  return (
    `. The first dimensions of its inputs differ: '${first.name}' ${formatShape(first.shape)}, '${other.name}' ${formatShape(other.shape)}. ` +
    'If they count rows, declare batch.rowsMax (max_batch_size), and such requests are refused before they are run; if not, batch: off says so'
  );
}
