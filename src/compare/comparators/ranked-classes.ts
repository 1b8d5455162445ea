import { numbersOf } from '../../core/numbers.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Comparator, Score } from '../comparator.ts';
import { scoreDistance } from '../distance.ts';
import { rowsOf, sameLayout } from '../layout.ts';
import { type Row, topClass, topClasses } from '../ranking.ts';

export type RankedClassesOptions = {
  /** The output that holds the class scores (probabilities or logits), [N,C] or [C]. */
  readonly output: string;
  /** 1: the top class alone. K > 1: the K best classes as a set. */
  readonly topK: number;
  /**
   * How far a row's scores may move (`scoreDistance`, in [0, 1]) before the row counts as another answer, even with the same
   * top class; undefined: any distance is accepted.
   */
  readonly distribution?: number | undefined;
};

/**
 * For classifiers. Two scores can be had, both means over the rows of the request:
 * - `topK` 1, the default: the share of rows whose top class flipped. It is what a caller acts on, and it does not move
 *   with harmless changes of the scores.
 * - `topK` K > 1: 1 - |best K of one, also among the best K of the other| / K, for models whose callers read a short list.
 *
 * With `distribution`, a row whose scores moved further scores 1 as well: callers compare probabilities with thresholds, show
 * them and multiply them by costs, and a candidate that flattens them all keeps every top class.
 *
 * NaN anywhere in the candidate scores 1, and so does an infinity where the reference has none or the reverse (a masked
 * class may be -Infinity in both).
 */
export function rankedClasses(options: RankedClassesOptions): Comparator {
  const { output, topK, distribution } = options;
  const named = [
    ...(topK === 1 ? [] : [`topK=${topK}`]),
    ...(distribution === undefined ? [] : [`distribution=${distribution}`]),
  ];
  return {
    name: named.length === 0 ? 'rankedClasses' : `rankedClasses(${named.join(', ')})`,
    score: (reference, candidate) => {
      const expected = reference.find((tensor) => tensor.name === output);
      if (expected === undefined) return { score: undefined, difference: 'missing' };
      const found = candidate.find((tensor) => tensor.name === output);
      if (found === undefined) return { score: 1, difference: 'missing' };
      return scoreTensors(expected, found, options);
    },
  };
}

function scoreTensors(expected: Tensor, found: Tensor, options: RankedClassesOptions): Score {
  const size = rowsOf(expected.shape);
  const [a, b] = [numbersOf(expected), numbersOf(found)];
  if (!sameLayout(expected, found) || size === undefined || a === undefined || b === undefined) {
    return { score: 1, difference: 'shape' };
  }
  if (a.length === 0) return { score: undefined, difference: 'missing' };
  if (finitenessDiffers(a, b)) return { score: 1, difference: 'nonFinite' };
  if (Buffer.compare(expected.data, found.data) === 0) return { score: 0, difference: 'same' };
  let [sum, ranks] = [0, 0];
  for (let row = 0; row < size.rows; row += 1) {
    const place = { start: row * size.classes, classes: size.classes };
    const [reference, candidate] = [
      { scores: a, ...place },
      { scores: b, ...place },
    ];
    const rank = rankScore(reference, candidate, options.topK);
    ranks += rank;
    sum += hasMoved(reference, candidate, options.distribution) ? 1 : rank;
  }
  if (sum === 0) return { score: 0, difference: 'values' };
  return { score: sum / size.rows, difference: ranks > 0 ? 'label' : 'distribution' };
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

function rankScore(reference: Row, candidate: Row, topK: number): number {
  if (topK === 1) return topClass(reference) === topClass(candidate) ? 0 : 1;
  const wanted = new Set(topClasses(reference, topK));
  const shared = topClasses(candidate, topK).filter((k) => wanted.has(k)).length;
  return 1 - shared / wanted.size;
}

/** A distance that is no number is for scores that are equal, infinities included, or else as far as can be. */
function hasMoved(reference: Row, candidate: Row, distribution: number | undefined): boolean {
  if (distribution === undefined) return false;
  const distance = scoreDistance(reference, candidate);
  return Number.isNaN(distance) ? !isSameRow(reference, candidate) : distance > distribution;
}

function isSameRow(reference: Row, candidate: Row): boolean {
  for (let k = 0; k < reference.classes; k += 1) {
    if (reference.scores[reference.start + k] !== candidate.scores[candidate.start + k]) {
      return false;
    }
  }
  return true;
}
