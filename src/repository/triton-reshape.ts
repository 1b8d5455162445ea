import { elementCount, formatShape } from '../core/tensor.ts';

/**
 * Throws an Error where the two shapes of a tensor cannot stand for each other: they need as many free dimensions, and as many
 * elements before, between and after those. Then every value of the free ones leaves all elements in their order.
 */
export function checkReshape(
  where: string,
  dims: readonly number[],
  reshape: readonly number[],
): void {
  if (dims.length === 0) throw new Error(`${where}: reshape: expected dims beside it, found none`);
  const wrong = reshape.find((size) => size === 0 || size < -1);
  if (wrong !== undefined) {
    throw new Error(
      `${where}: reshape: expected dimensions of -1 (free), 1 or more, found ${wrong}`,
    );
  }
  const [expected, found] = [stretchesOf(dims), stretchesOf(reshape)];
  if (expected.length !== found.length) {
    throw new Error(
      `${where}: reshape: expected as many free dimensions (-1) as in dims ${formatShape(dims)}, found ${formatShape(reshape)}`,
    );
  }
  if (expected.every((elements, at) => elements === found[at])) return;
  const what = expected.length > 1 ? 'elements around each -1' : 'elements';
  throw new Error(
    `${where}: reshape: expected as many ${what} as in dims ${formatShape(dims)}, found ${formatShape(reshape)}`,
  );
}

/** The elements of each stretch of dimensions that has none that is free. */
function stretchesOf(shape: readonly number[]): readonly number[] {
  const stretches: number[][] = [[]];
  for (const size of shape) {
    if (size === -1) stretches.push([]);
    else stretches.at(-1)?.push(size);
  }
  return stretches.map(elementCount);
}
