/**
 * How many times as much the sum of a series varies as it would if its values did not depend on each other: 1 for independent
 * values, about (1 + r) / (1 - r) for values that follow the one before with correlation r. As many times fewer values than it
 * has does the series weigh (its effective sample size, as for Markov chains).
 *
 * Autocorrelations are added up in pairs of lags as long as a pair is above zero (Geyer, "Practical Markov Chain Monte Carlo",
 * 1992: the initial positive sequence), over at most a quarter of the series, since longer lags are mostly noise. At least 1:
 * values that avoid each other are no reason to believe them more.
 */
export function varianceRatio(values: readonly number[]): number {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, count);
  const centred = values.map((value) => value - mean);
  const variance = products(centred, 0);
  if (!(variance > count * LEAST_VARIANCE)) return 1;
  const lagMax = Math.min(LAGS_MAX, Math.floor(count / LAGS_PER_VALUE));
  let sum = 0;
  for (let lag = 1; lag <= lagMax; lag += 2) {
    const second = lag < lagMax ? products(centred, lag + 1) : 0;
    const pair = (products(centred, lag) + second) / variance;
    if (!(pair > 0)) break;
    sum += pair;
  }
  return 1 + 2 * sum;
}

const LAGS_PER_VALUE = 4;

/** Bounds the work of a look: a dependence that outlasts this many values is beyond what blocks can measure. */
const LAGS_MAX = 60;

/** A series that stands still has no correlations: what is left of its variance is rounding. */
const LEAST_VARIANCE = 1e-12;

function products(values: readonly number[], lag: number): number {
  let sum = 0;
  for (let at = lag; at < values.length; at += 1)
    sum += (values[at] ?? 0) * (values[at - lag] ?? 0);
  return sum;
}
