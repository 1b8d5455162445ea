/** Longer texts than this, in code points and without what they begin and end with in common, are not compared as a whole. */
const EXACT_MAX = 4_096;

/** Texts longer than this, in UTF-16 units, are the same or wholly different. */
const TEXT_MAX = 65_536;

/** Cells of the table of distances that one answer may cost: that of four pairs of the greatest length. */
export const CELLS_MAX = 4 * EXACT_MAX * EXACT_MAX;

/** What is left of the work that one answer may cost, in cells. */
type Work = { left: number };

type TextDistance = {
  /** Code points to insert, delete or replace: the Levenshtein distance, or more where a limit is reached, never less. */
  readonly edits: number;
  /** Code points of each text. */
  readonly lengths: readonly [number, number];
};

/**
 * How far two texts are apart. Up to 4,096 code points, counted without the beginning and the end that they have in common, the
 * distance is exact; of longer ones, and once the work is used up, all beyond counts as different.
 */
export function textDistance(a: string, b: string, work: Work): TextDistance {
  if (a === b) return { edits: 0, lengths: [a.length, b.length] };
  if (a.length > TEXT_MAX || b.length > TEXT_MAX) {
    return { edits: Math.max(a.length, b.length), lengths: [a.length, b.length] };
  }
  const [one, other] = [codePoints(a), codePoints(b)];
  const lengths = [one.length, other.length] as const;
  const [x, y] = withoutCommonEnds(one, other);
  const [head, tail] = [x.subarray(0, EXACT_MAX), y.subarray(0, EXACT_MAX)];
  const cells = head.length * tail.length;
  if (cells > work.left) return { edits: Math.max(x.length, y.length), lengths };
  work.left -= cells;
  const beyond = Math.max(x.length - head.length, y.length - tail.length);
  return {
    edits: Math.min(levenshtein(head, tail) + beyond, Math.max(x.length, y.length)),
    lengths,
  };
}

function codePoints(text: string): Uint32Array {
  return Uint32Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

function withoutCommonEnds(a: Uint32Array, b: Uint32Array): readonly [Uint32Array, Uint32Array] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return [a.subarray(start, a.length - end), b.subarray(start, b.length - end)];
}

const BLOCK = 32;

/**
 * The Levenshtein distance by the bit vectors of Myers (1999), in the form of Hyyrö (2003): 32 rows of the table at a time. `across` holds
 * the horizontal differences of the last row so far: -1, 0 or 1 for each element of `a`.
 */
function levenshtein(a: Uint32Array, b: Uint32Array): number {
  const { idsOfA, idsOfB, count } = numbered(a, b);
  const across = new Int8Array(a.length).fill(1);
  const matches = new Int32Array(count);
  for (let start = 0; start < b.length; start += BLOCK) {
    const rows = Math.min(BLOCK, b.length - start);
    matches.fill(0);
    for (let row = 0; row < rows; row += 1) {
      const id = idsOfB[start + row] ?? 0;
      matches[id] = (matches[id] ?? 0) | (1 << row);
    }
    crossBlock(idsOfA, across, { matches, rows });
  }
  return across.reduce((sum, difference) => sum + difference, b.length);
}

type Block = { readonly matches: Int32Array; readonly rows: number };

function crossBlock(ids: Int32Array, across: Int8Array, { matches, rows }: Block): void {
  let plus = -1;
  let minus = 0;
  for (let column = 0; column < ids.length; column += 1) {
    const into = across[column] ?? 0;
    const match = matches[ids[column] ?? 0] ?? 0;
    const matchOrDown = match | (into < 0 ? 1 : 0);
    const vertical = match | minus;
    const horizontal = (((matchOrDown & plus) + plus) ^ plus) | matchOrDown;
    let right = minus | ~(horizontal | plus);
    let left = plus & horizontal;
    across[column] = ((right >>> (rows - 1)) & 1) - ((left >>> (rows - 1)) & 1);
    right = (right << 1) | (into > 0 ? 1 : 0);
    left = (left << 1) | (into < 0 ? 1 : 0);
    plus = left | ~(vertical | right);
    minus = right & vertical;
  }
}

/** Small numbers in place of the elements, so that a table has one place for each. 0: not in `b`. */
function numbered(a: Uint32Array, b: Uint32Array) {
  const ids = new Map<number, number>();
  for (const element of b) if (!ids.has(element)) ids.set(element, ids.size + 1);
  const idOf = (element: number): number => ids.get(element) ?? 0;
  return {
    idsOfA: Int32Array.from(a, idOf),
    idsOfB: Int32Array.from(b, idOf),
    count: ids.size + 1,
  };
}
