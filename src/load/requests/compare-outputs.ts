import { isFloat } from '../../core/numbers.ts';
import { formatShape, type Tensor } from '../../core/tensor.ts';
import { type Element, elementsOf } from './elements.ts';
import { printerOf } from './json-elements.ts';

/** By how much a float may be off: `absolute + relative * |expected|`. */
export type Tolerance = { readonly absolute: number; readonly relative: number };

const TEXT_LENGTH_MAX = 40;

/**
 * What differs from the expected outputs, in a short sentence; undefined: nothing. Outputs beyond the expected ones are fine. NaN is
 * equal to NaN, and an infinity to itself only.
 */
export function outputsDifference(
  expected: readonly Tensor[],
  found: readonly Tensor[],
  tolerance: Tolerance,
): string | undefined {
  for (const tensor of expected) {
    const other = found.find(({ name }) => name === tensor.name);
    const difference = tensorDifference(tensor, other, tolerance);
    if (difference !== undefined) return `output ${JSON.stringify(tensor.name)}${difference}`;
  }
  return undefined;
}

function tensorDifference(
  expected: Tensor,
  found: Tensor | undefined,
  tolerance: Tolerance,
): string | undefined {
  if (found === undefined) return `: expected ${kindOf(expected)}, found no such output`;
  if (kindOf(expected) !== kindOf(found)) {
    return `: expected ${kindOf(expected)}, found ${kindOf(found)}`;
  }
  if (Buffer.compare(expected.data, found.data) === 0) return undefined;
  const { dtype } = expected;
  const [wanted, got] = [elementsOf(dtype, expected.data), elementsOf(dtype, found.data)];
  if (wanted.length !== got.length) {
    return `: expected ${wanted.length} elements, found ${got.length}`;
  }
  const isSame = isFloat(dtype) ? isNear(tolerance) : isEqual;
  const index = wanted.findIndex((element, at) => !isSame(element, got[at] ?? 0));
  if (index === -1) return undefined;
  const show = (element: Element | undefined): string =>
    typeof element === 'object' ? showText(element) : printerOf(dtype)(element ?? 0);
  return `[${index}]: expected ${show(wanted[index])}, found ${show(got[index])}`;
}

function kindOf({ dtype, shape }: Tensor): string {
  return `${dtype} ${formatShape(shape)}`;
}

function isEqual(expected: Element, found: Element): boolean {
  if (typeof expected !== 'object' || typeof found !== 'object') return expected === found;
  return Buffer.compare(expected, found) === 0;
}

function isNear({ absolute, relative }: Tolerance): (expected: Element, found: Element) => boolean {
  return (expectedElement, foundElement) => {
    const [expected, found] = [Number(expectedElement), Number(foundElement)];
    if (expected === found || (Number.isNaN(expected) && Number.isNaN(found))) return true;
    if (!Number.isFinite(expected)) return false;
    return Math.abs(found - expected) <= absolute + relative * Math.abs(expected);
  };
}

function showText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString();
  return JSON.stringify(
    text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}...` : text,
  );
}
