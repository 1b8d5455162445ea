import type { Comparator } from '../comparator.ts';
import { rowComparator } from '../row-comparator.ts';
import { type Tags, tagsOf } from '../token-tags.ts';

export type TokenTagsOptions = {
  /** The output that holds scores per token, [N,T,C], or the tags themselves, [N,T]. */
  readonly output: string;
  /** Share of a row's tokens whose tag may flip while it counts as the same answer; 0 by default. */
  readonly tolerance?: number | undefined;
};

/** For tags of tokens: the share of a row's tokens whose tag flipped, padding included. */
export function tokenTags({ output, tolerance = 0 }: TokenTagsOptions): Comparator {
  return rowComparator({
    name: `tokenTags(tolerance=${tolerance})`,
    outputs: [output],
    tolerance,
    difference: 'label',
    distances: (reference, candidate) => {
      const [a, b] = [reference(output), candidate(output)].map(
        (tensor) => tensor && tagsOf(tensor),
      );
      return a && b && Array.from({ length: a.rows }, (_, row) => flips(a, b, row));
    },
  });
}

/** NaN where a token has no tag in one of the two alone. */
function flips(a: Tags, b: Tags, row: number): number {
  let flipped = 0;
  for (let at = row * a.tokens; at < (row + 1) * a.tokens; at += 1) {
    const [one, other] = [a.values[at], b.values[at]];
    if (one === other) continue;
    if (one === -1 || other === -1) return Number.NaN;
    flipped += 1;
  }
  return a.tokens === 0 ? 0 : flipped / a.tokens;
}
