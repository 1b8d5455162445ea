import { pairedErrorsClaim, type RolloutSpec } from '../core/rollout.ts';
import type { LinearClaim } from '../stats/linear-claim.ts';
import {
  type Expectation,
  failuresOf,
  isClaimedBetter,
  logNeeded,
  type Side,
} from './expected-growth.ts';
import { type Rates, wrongRates } from './truth.ts';

/**
 * Samples that no test could do with less of, on average: the logarithm of 1 / alpha over the Kullback-Leibler divergence of the
 * truth from the closest world in which the claim is wrong. A test would have to know the truth beforehand to reach it. Infinity
 * where the truth is such a world, or the metric cannot show it.
 *
 * @param weight the metric's part of the false-rollback budget.
 */
export function informationLimit(expectation: Expectation, weight: number): number {
  const { side, spec } = expectation;
  const divergence = divergenceOf(expectation);
  return divergence > 0 ? logNeeded(side, spec, weight) / divergence : Number.POSITIVE_INFINITY;
}

function divergenceOf(expectation: Expectation): number {
  const { metric, side, spec, truth, odds } = expectation;
  const { margins } = spec;
  switch (metric) {
    case 'pairedErrors':
      return ofPairs(side, pairedErrorsClaim(margins), truth.errors);
    case 'labelledLoss':
      return ofDifferences(side, isClaimedBetter(expectation) ? 0 : margins.labelledLoss, {
        plus: truth.loss.lost,
        minus: truth.loss.won,
      });
    case 'anchorLoss':
      return ofDifferences(side, margins.labelledLoss, {
        plus: truth.anchorLoss.lost,
        minus: truth.anchorLoss.won,
      });
    case 'disagreement':
      return ofDisagreement(side, spec, truth.disagreement);
    case 'pairedLatency':
      return side === 'harm' && truth.slower > 0.5 ? coins(truth.slower, 0.5) : 0;
    case 'errors':
      return ofClaim(side, margins.errors, { rates: truth.errors, odds });
    case 'slowRequests':
      return ofClaim(side, margins.slowRequests, { rates: truth.slow, odds });
    case 'liveLoss':
      return ofDifferences(side, margins.labelledLoss, failuresOf(wrongRates(truth)));
  }
}

type Discordant = { readonly plus: number; readonly minus: number };

function ofDifferences(side: Side, margin: number, { plus, minus }: Discordant): number {
  const values = [
    [-1, minus],
    [0, 1 - plus - minus],
    [1, plus],
  ] as const;
  return ofValues(side, values, { lower: -1, margin });
}

/** Of candidate less `ratio` x stable, failing independently of each other on the same request. */
function ofPairs(
  side: Side,
  { ratio, absolute }: LinearClaim,
  { candidate, reference }: Rates,
): number {
  const both = candidate * reference;
  const values = [
    [0, 1 - candidate - reference + both],
    [1, candidate - both],
    [-ratio, reference - both],
    [1 - ratio, both],
  ] as const;
  return ofValues(side, values, { lower: -ratio, margin: absolute });
}

/** Of values up to 1, with their probabilities: the growth of the best constant bet is the divergence (Honda and Takemura, 2010). */
function ofValues(
  side: Side,
  values: readonly (readonly [value: number, part: number])[],
  { lower, margin }: { readonly lower: number; readonly margin: number },
): number {
  const sign = side === 'harm' ? 1 : -1;
  const greatest = side === 'harm' ? 1 / (margin - lower) : 1 / (1 - margin);
  const growth = (bet: number): number =>
    values.reduce(
      (sum, [value, part]) =>
        part === 0 ? sum : sum + part * Math.log(1 + sign * bet * (value - margin)),
      0,
    );
  return Math.max(0, growth(argMax(growth, 0, greatest * (1 - 1e-9))));
}

function ofDisagreement(
  side: Side,
  { intent, margins, expectedDisagreement }: Omit<RolloutSpec, 'salt'>,
  rates: Rates,
): number {
  if (intent === 'equivalent') return ofDifferences(side, margins.disagreement, failuresOf(rates));
  if (expectedDisagreement === undefined && side === 'safe') return 0;
  const limit = (expectedDisagreement?.rate ?? 0) + margins.disagreement;
  const isBeyond = rates.candidate > limit;
  if (!(limit < 1) || isBeyond !== (side === 'harm')) return 0;
  return coins(rates.candidate, limit);
}

type Exposed = { readonly rates: Rates; readonly odds: number };

/** From the closest pair of rates at the edge of the claim. */
function ofClaim(
  side: Side,
  { ratio, absolute }: { readonly ratio: number; readonly absolute: number },
  { rates, odds }: Exposed,
): number {
  const isBeyond = rates.candidate > ratio * rates.reference + absolute;
  if (!(odds > 0 && odds < 1) || isBeyond !== (side === 'harm')) return 0;
  const closeness = (reference: number): number =>
    -odds * coins(rates.candidate, ratio * reference + absolute) -
    (1 - odds) * coins(rates.reference, reference);
  const highest = Math.min(1, (1 - absolute) / ratio);
  return Math.max(0, -closeness(argMax(closeness, 0, highest)));
}

/** Kullback-Leibler divergence of two coins, in natural units. */
function coins(p: number, q: number): number {
  const term = (a: number, b: number): number => (a === 0 ? 0 : a * Math.log(a / b));
  return term(p, q) + term(1 - p, 1 - q);
}

/** Where a concave function is greatest. */
function argMax(of: (at: number) => number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [left, right] = [low + (high - low) / 3, high - (high - low) / 3];
    if (of(left) < of(right)) low = left;
    else high = right;
  }
  return (low + high) / 2;
}

const ROUNDS = 100;
