import * as z from 'zod';

/** The part of a zod issue that a message needs. `keys` is set for keys that the section does not have. */
type Complaint = {
  readonly code?: string | undefined;
  readonly input?: unknown;
  readonly keys?: readonly string[];
};

/** An error option for zod: `expected <what>, found <what is there>`. */
export function expected(what: string): (complaint: Complaint) => string {
  return ({ input }) => `expected ${what}, found ${shown(input)}`;
}

/**
 * An object that knows all its keys. Unknown keys make one line each in the message of the one issue that zod reports, in
 * the order of `keys`, with the nearest known key.
 */
export function section<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  what = 'a section',
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (complaint: Complaint) =>
      complaint.code === 'unrecognized_keys'
        ? (complaint.keys ?? []).map((key) => unknownKey(key, known)).join('\n')
        : expected(what)(complaint),
  });
}

/** What was found, short enough for one line. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** What is said of a key that is none of the known ones: with the nearest, or else with all. */
export function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestOf(key, known);
  if (nearest !== undefined) return `unknown key "${key}". Did you mean "${nearest}"?`;
  return known.length > 0
    ? `unknown key "${key}". Known here: ${known.join(', ')}`
    : `unknown key "${key}". This section has no keys`;
}

/** No key is as long. What is longer costs time to compare. */
const WORD_LENGTH_MAX = 100;

/** The known word with the fewest edits from `word`, if that is at most two, or a third of its length. */
function nearestOf(word: string, known: readonly string[]): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  const allowed = Math.max(2, Math.floor(word.length / 3));
  let best: { readonly candidate: string; readonly edits: number } | undefined;
  for (const candidate of known) {
    const edits = editsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (edits <= allowed && edits < candidate.length && edits < (best?.edits ?? Infinity)) {
      best = { candidate, edits };
    }
  }
  return best?.candidate;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance). */
function editsBetween(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, (beforeLast[j - 2] ?? 0) + 1);
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
