/** Whole numbers that a graph calculates with, as far as they are known before it runs. */

/**
 * A number; the number of rows; that times something; a size that has nothing to do with rows, and is the same for all
 * requests that share a run; something else that depends on the number of rows; null where nothing is known.
 */
export type Extent = number | 'rows' | 'times rows' | 'size' | 'by rows' | null;

/** True if a value is the same whichever rows share a run. */
export function isSettled(content: readonly Extent[] | undefined): boolean {
  return content?.every((each) => typeof each === 'number' || each === 'size') ?? false;
}

/** True if a value is known to depend on how many rows there are. */
export function dependsOnRows(content: readonly Extent[] | undefined): boolean {
  return content?.some((each) => holdsRows(each) || each === 'by rows') ?? false;
}

/** True for a size that holds rows and nothing but whole ones. */
export function holdsRows(size: Extent): boolean {
  return size === 'rows' || size === 'times rows';
}

/** What becomes of two of them; a product or quotient of the number of rows is a size that holds rows still. */
export function combined(op: string, a: Extent, b: Extent): Extent {
  if (typeof a === 'number' && typeof b === 'number') return calculated(op, a, b);
  if (op === 'Mul' && (holdsRows(a) || holdsRows(b)))
    return a === 1 ? b : b === 1 ? a : 'times rows';
  if (op === 'Div' && holdsRows(a)) return b === 1 ? a : 'times rows';
  return mixed([a, b]);
}

/** What comes of several of them by an operator that is not calculated. */
export function mixed(all: readonly Extent[]): Extent {
  if (dependsOnRows(all)) return 'by rows';
  return all.includes(null) ? null : 'size';
}

function calculated(op: string, a: number, b: number): Extent {
  switch (op) {
    case 'Mul':
      return a * b;
    case 'Div':
      return b === 0 ? null : Math.trunc(a / b);
    case 'Add':
      return a + b;
    case 'Sub':
      return a - b;
    case 'Equal':
      return Number(a === b);
    default:
      return 'size';
  }
}
