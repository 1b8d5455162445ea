import type { Row } from './ranking.ts';

/**
 * How far the candidate's scores of one row are from the reference's, in [0, 1]. The reference's row decides how both are read,
 * since callers read the candidate's scores as they read stable's:
 *
 * - probabilities (all in [0, 1], sum 1): the total variation, 1/2 sum |a - b|. No set of classes has a probability that
 *   differs by more;
 * - scores of independent classes (all in [0, 1], another sum): the greatest |a - b|;
 * - anything else is logits: the total variation of the softmax of both.
 *
 * NaN where a score is NaN, or where an infinity leaves no softmax.
 */
export function scoreDistance(reference: Row, candidate: Row): number {
  switch (kindOf(reference)) {
    case 'probabilities':
      return Math.min(1, totalVariation(reference, candidate));
    case 'independent':
      return Math.min(1, greatestDifference(reference, candidate));
    case 'logits':
      return totalVariation(softmax(reference), softmax(candidate));
  }
}

/** Room for the rounding of half precision. */
const ROUNDING = 0.01;

function kindOf(row: Row): 'probabilities' | 'independent' | 'logits' {
  let sum = 0;
  for (let k = 0; k < row.classes; k += 1) {
    const score = scoreAt(row, k);
    if (!(score >= -ROUNDING && score <= 1 + ROUNDING)) return 'logits';
    sum += score;
  }
  return Math.abs(sum - 1) <= ROUNDING ? 'probabilities' : 'independent';
}

function scoreAt({ scores, start }: Row, k: number): number {
  return scores[start + k] ?? Number.NaN;
}

function totalVariation(a: Row, b: Row): number {
  let sum = 0;
  for (let k = 0; k < a.classes; k += 1) sum += Math.abs(scoreAt(a, k) - scoreAt(b, k));
  return sum / 2;
}

function greatestDifference(a: Row, b: Row): number {
  let greatest = 0;
  for (let k = 0; k < a.classes; k += 1) {
    greatest = Math.max(greatest, Math.abs(scoreAt(a, k) - scoreAt(b, k)));
  }
  return greatest;
}

/** The softmax of a row; a row of its own, since scores of a tensor are not changed. */
function softmax({ scores, start, classes }: Row): Row {
  let top = -Infinity;
  for (let k = start; k < start + classes; k += 1) {
    const score = scores[k] ?? Number.NaN;
    // Not Math.max: NaN must not become the top, and does not become a probability either.
    if (score > top) top = score;
  }
  const parts = new Float64Array(classes);
  let sum = 0;
  for (let k = 0; k < classes; k += 1) {
    const part = Math.exp((scores[start + k] ?? Number.NaN) - top);
    parts[k] = part;
    sum += part;
  }
  for (let k = 0; k < classes; k += 1) parts[k] = (parts[k] ?? 0) / sum;
  return { scores: parts, start: 0, classes };
}
