/**
 * Boundaries that grow like the law of the iterated logarithm, made by stitching linear ones together over epochs of growing
 * length. Sources: Howard, Ramdas, McAuliffe and Sekhon (arXiv 1810.08240), theorem 1; Howard and Ramdas, "Sequential
 * estimation of quantiles" (Bernoulli 28(3), 2022; arXiv 1906.09712), theorems 2 and 4.
 */
import { findMinimum, findRoot } from './search-line.ts';
import { zeta } from './zeta.ts';

/** How the error is spread over epochs: each is `eta` times as long as the one before, and epoch k gets about k^-s of it. */
const ETA = 2;
const S = 1.4;
const K1 = (ETA ** 0.25 + ETA ** -0.25) / Math.SQRT2;
const K2 = (Math.sqrt(ETA) + 1) / 2;

/** Polynomial stitching for sub-gamma sums of scale `c` (negative: lighter than Gaussian), tight from `vMin` on. */
export function polynomialStitching(
  v: number,
  alpha: number,
  shape: { readonly vMin: number; readonly c: number },
): number {
  const time = Math.max(v, shape.vMin);
  const spread = Math.log(zeta(S) / Math.log(ETA) ** S);
  const ell = S * Math.log(Math.log((ETA * time) / shape.vMin)) + spread + Math.log(1 / alpha);
  const linear = K2 * shape.c * ell;
  return Math.sqrt(K1 * K1 * time * ell + linear * linear) + linear;
}

/**
 * How far the number of values below the p-quantile can stray from p * t, for all p and all t at once. `tOpt`: about when it
 * is to be tightest. `delta`: how fine the quantiles are stitched.
 */
export function doubleStitching(
  p: number,
  t: number,
  options: { readonly alpha: number; readonly tOpt: number; readonly delta?: number },
): number {
  const { alpha, tOpt, delta = 0.5 } = options;
  const time = Math.max(t, tOpt);
  const step = 2 * delta * Math.sqrt((tOpt * ETA) / time);
  const nearest = p >= 0.5 ? p : Math.min(0.5, expit(logit(p) + step));
  const variance = nearest * (1 - nearest);
  const row = (Math.sqrt(time / tOpt) * Math.abs(logit(p))) / (2 * delta) + 1;
  const twice = 2 * zeta(S);
  const ell =
    S * Math.log(Math.log((ETA * time) / tOpt)) +
    S * Math.log(row) +
    Math.log((twice * (twice + 1)) / (alpha * Math.log(ETA) ** S));
  const linear = (K2 * (1 - 2 * p) * ell) / 3;
  return (
    delta * Math.sqrt((ETA * time * variance) / tOpt) +
    Math.sqrt(K1 * K1 * variance * time * ell + linear * linear) +
    linear
  );
}

/**
 * Half-width of a band around the empirical distribution function that holds for all values and all times from `tMin` on.
 * `A` above 1/sqrt(2) trades early width for late. Infinite before `tMin`.
 */
export function empiricalProcessBand(
  t: number,
  alpha: number,
  shape: { readonly tMin: number; readonly A: number },
): number {
  if (t < shape.tMin) return Number.POSITIVE_INFINITY;
  const c = bandConstant(alpha, shape.A);
  return shape.A * Math.sqrt((Math.log1p(Math.log(t / shape.tMin)) + c) / t);
}

/** The least C for which the band errs with probability `alpha`, with the best length of epochs for it. */
export function bandConstant(alpha: number, A: number): number {
  if (!(A > Math.SQRT1_2)) throw new RangeError(`A must be above 1/sqrt(2), not ${A}`);
  const error = (c: number): number => {
    const longest = findRoot(
      (eta) => Math.sqrt(eta / 2) + Math.sqrt((2 * (eta - 1)) / c) - A,
      1,
      2 * A * A,
    );
    const at = (eta: number): number => bandError(c, eta, A);
    return at(findMinimum(at, 1, longest));
  };
  let high = 10;
  while (error(high) > alpha) high *= 2;
  return findRoot((c) => error(c) - alpha, 1, high);
}

function bandError(c: number, eta: number, A: number): number {
  const gammaSquared = (2 / eta) * (A - Math.sqrt((2 * (eta - 1)) / c)) ** 2;
  if (gammaSquared <= 1 || eta <= 1) return Number.POSITIVE_INFINITY;
  return 4 * Math.exp(-gammaSquared * c) * (1 + 1 / ((gammaSquared - 1) * Math.log(eta)));
}

function logit(p: number): number {
  return Math.log(p / (1 - p));
}

function expit(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
