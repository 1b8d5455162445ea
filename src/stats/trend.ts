/**
 * Whether a series rises or falls, and how fast, without a word on how its values are distributed: one wild value moves
 * neither answer much. Both take pairs of values, so n values cost n^2 / 2 steps.
 */
import { logGammaQ } from './gamma.ts';

export type Point = { readonly x: number; readonly y: number };

/** A straight line: y = intercept + slope * x. */
export type Line = { readonly slope: number; readonly intercept: number };

/**
 * Theil and Sen's line: the median of the slopes between all pairs, through the median of what is left. Sources: Sen,
 * "Estimates of the regression coefficient based on Kendall's tau" (JASA 63, 1968) for the slope; Conover, "Practical
 * nonparametric statistics", for the intercept: median y less slope times median x. Throws a RangeError where no two x differ.
 */
export function theilSenLine(points: readonly Point[]): Line {
  const slopes: number[] = [];
  for (const [place, from] of points.entries()) {
    for (let other = place + 1; other < points.length; other += 1) {
      const to = points[other]!;
      if (to.x !== from.x) slopes.push((to.y - from.y) / (to.x - from.x));
    }
  }
  if (slopes.length === 0) throw new RangeError('a line needs two points with different x');
  const slope = medianOf(slopes);
  const [x, y] = [medianOf(points.map((point) => point.x)), medianOf(points.map(({ y }) => y))];
  return { slope, intercept: y - slope * x };
}

/**
 * The middle of the first and of the last values, `share` of all at each end: what a step has moved, where a line of medians may
 * see nothing of it. Throws a RangeError where there are no points.
 */
export function endsOf(
  points: readonly Point[],
  share: number,
  middle: 'mean' | 'median',
): { readonly from: number; readonly to: number } {
  if (points.length === 0) throw new RangeError('no points have no ends');
  const values = points.map(({ y }) => y);
  const count = Math.max(1, Math.round(values.length * share));
  const middleOf = middle === 'mean' ? meanOf : medianOf;
  return { from: middleOf(values.slice(0, count)), to: middleOf(values.slice(-count)) };
}

/** `s`: pairs that rise less pairs that fall; `z`: the same in standard deviations, brought 1 nearer to 0 for continuity. */
export type TrendTest = { readonly s: number; readonly z: number; readonly pValue: number };

/**
 * Mann and Kendall's two-sided test that a series has no trend, with the variance corrected for ties. Takes the normal
 * approximation, good from about ten values on, and assumes that values are independent: where neighbours are alike, p is too
 * small. Source: Gilbert, "Statistical methods for environmental pollution monitoring" (1987), section 16.4.
 */
export function mannKendallTest(values: readonly number[]): TrendTest {
  let s = 0;
  for (const [place, from] of values.entries()) {
    for (let other = place + 1; other < values.length; other += 1) {
      s += Math.sign(values[other]! - from);
    }
  }
  const pairsTerm = (count: number): number => count * (count - 1) * (2 * count + 5);
  const tied = tieSizes(values).reduce((sum, size) => sum + pairsTerm(size), 0);
  const variance = (pairsTerm(values.length) - tied) / 18;
  if (s === 0 || variance === 0) return { s, z: 0, pValue: 1 };
  const z = (s - Math.sign(s)) / Math.sqrt(variance);
  return { s, z, pValue: Math.exp(logGammaQ(0.5, (z * z) / 2)) };
}

function tieSizes(values: readonly number[]): readonly number[] {
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  return [...sizes.values()];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
