import { numbersOf } from '../../core/numbers.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Comparator, Score } from '../comparator.ts';
import { rowsOf, sameLayout } from '../layout.ts';
import { type Row, topClass, topClasses } from '../ranking.ts';

export type RankedClassesOptions = {
  /** The output that holds the class scores (probabilities or logits), [N,C] or [C]. */
  readonly output: string;
  /** 1: the top class alone. K > 1: the K best classes as a set. */
  readonly topK: number;
};

/**
 * For classifiers. Two scores can be had, both means over the rows of the request:
 * - `topK` 1, the default: the share of rows whose top class flipped. It is what a caller acts on, and it does not move
 *   with harmless changes of the scores.
 * - `topK` K > 1: 1 - |best K of one, also among the best K of the other| / K, for models whose callers read a short list.
 *
 * NaN anywhere in the candidate scores 1, and so does an infinity where the reference has none or the reverse (a masked
 * class may be -Infinity in both).
 */
export function rankedClasses({ output, topK }: RankedClassesOptions): Comparator {
  return {
    name: topK === 1 ? 'rankedClasses' : `rankedClasses(topK=${topK})`,
    score: (reference, candidate) => {
      const expected = reference.find((tensor) => tensor.name === output);
      if (expected === undefined) return { score: undefined, difference: 'missing' };
      const found = candidate.find((tensor) => tensor.name === output);
      if (found === undefined) return { score: 1, difference: 'missing' };
      return scoreTensors(expected, found, topK);
    },
  };
}

function scoreTensors(expected: Tensor, found: Tensor, topK: number): Score {
  const size = rowsOf(expected.shape);
  const [a, b] = [numbersOf(expected), numbersOf(found)];
  if (!sameLayout(expected, found) || size === undefined || a === undefined || b === undefined) {
    return { score: 1, difference: 'shape' };
  }
  if (a.length === 0) return { score: undefined, difference: 'missing' };
  if (finitenessDiffers(a, b)) return { score: 1, difference: 'nonFinite' };
  let sum = 0;
  for (let row = 0; row < size.rows; row += 1) {
    const place = { start: row * size.classes, classes: size.classes };
    sum += scoreRow({ scores: a, ...place }, { scores: b, ...place }, topK);
  }
  if (sum > 0) return { score: sum / size.rows, difference: 'label' };
  const isSame = Buffer.compare(expected.data, found.data) === 0;
  return { score: 0, difference: isSame ? 'same' : 'values' };
}

function finitenessDiffers(reference: ArrayLike<number>, candidate: ArrayLike<number>): boolean {
  for (let i = 0; i < candidate.length; i += 1) {
    const [a, b] = [reference[i] ?? Number.NaN, candidate[i] ?? Number.NaN];
    if (Number.isFinite(a) && Number.isFinite(b)) continue;
    // NaN is never equal to anything, itself included.
    if (a !== b) return true;
  }
  return false;
}

function scoreRow(reference: Row, candidate: Row, topK: number): number {
  if (topK === 1) return topClass(reference) === topClass(candidate) ? 0 : 1;
  const wanted = new Set(topClasses(reference, topK));
  const shared = topClasses(candidate, topK).filter((k) => wanted.has(k)).length;
  return 1 - shared / wanted.size;
}
