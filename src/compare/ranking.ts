/** One row of class scores inside a longer array. */
export type Row = {
  readonly scores: ArrayLike<number>;
  readonly start: number;
  readonly classes: number;
};

/** The class with the highest score, the lower index where two are equal; -1 where any score of the row is NaN. */
export function topClass(row: Row): number {
  let best = -1;
  let bestScore = -Infinity;
  for (let k = 0; k < row.classes; k += 1) {
    const score = row.scores[row.start + k] ?? Number.NaN;
    if (Number.isNaN(score)) return -1;
    if (best === -1 || score > bestScore) {
      best = k;
      bestScore = score;
    }
  }
  return best;
}

/** The `count` classes with the highest scores, best first, lower indices first where scores are equal. */
export function topClasses(row: Row, count: number): readonly number[] {
  const score = (k: number): number => row.scores[row.start + k] ?? Number.NaN;
  return Array.from({ length: row.classes }, (_, k) => k)
    .sort((a, b) => (score(a) === score(b) ? a - b : score(b) > score(a) ? 1 : -1))
    .slice(0, count);
}
