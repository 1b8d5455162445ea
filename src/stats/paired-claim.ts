/**
 * Is the candidate's rate of bad things at most `ratio` times the reference's plus `absolute`, where both had the same requests?
 *
 * The linear claim of `linear-claim.ts` without a coin between the arms: each unit has a bad share of either, C and S in [0, 1], and
 *   Z = C - ratio S - absolute
 * has mean at most 0 given the past wherever the claim holds, at least 0 wherever it does not, however the rates drift and however
 * the two depend on each other. So the products
 *   harm: prod(1 + bet * Z), 0 <= bet <= 1 / (ratio + absolute)
 *   safe: prod(1 - bet * Z), 0 <= bet <= 1 / (1 - absolute)
 * stay non-negative and do not grow on average under their null. Bets are constant and set by the claim alone: each is the best one
 * for a pair of rates, those of `linear-claim.ts`, if the two versions fail independently. Failures are rare, so bets near the
 * greatest pay: without any failure the safe product grows by `absolute` with each unit.
 *
 * Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (arXiv 2010.09686).
 */
import {
  type Alternative,
  harmAlternatives,
  type LinearClaim,
  limitAt,
  safeAlternatives,
} from './linear-claim.ts';
import { countLog } from './log-sum-exp.ts';
import type { Mixture } from './mixture.ts';

/** How many units had which bad shares of the two versions, each in [0, 1]. */
export type PairedShares = readonly (readonly [
  candidate: number,
  reference: number,
  count: number,
])[];

/** Evidence that the candidate's rate is above the claim's limit. */
export function harmOfPairs(seen: PairedShares, claim: LinearClaim): Mixture {
  return mixtureOver(seen, claim, 'harm');
}

/** Evidence that the candidate's rate is below the claim's limit. */
export function safeOfPairs(seen: PairedShares, claim: LinearClaim): Mixture {
  return mixtureOver(seen, claim, 'safe');
}

function mixtureOver(seen: PairedShares, claim: LinearClaim, process: Process): Mixture {
  const { ratio, absolute } = checked(claim);
  const pooled = pool(seen);
  return betsFor(process, claim).map(({ logWeight, bet }) => {
    let logWealth = 0;
    for (const [candidate, reference, count] of pooled) {
      // Rounding leaves no factor below 0.
      const factor = Math.max(0, 1 + bet * (candidate - ratio * reference - absolute));
      logWealth += countLog(count, factor);
    }
    return { logWeight, logWealth };
  });
}

function checked(claim: LinearClaim): LinearClaim {
  const { ratio, absolute } = claim;
  if (!(ratio > 0 && Number.isFinite(ratio))) {
    throw new RangeError(`ratio: expected a number above 0, found ${ratio}`);
  }
  if (!(absolute > 0 && absolute < 1)) {
    throw new RangeError(`absolute: expected a number between 0 and 1, found ${absolute}`);
  }
  return claim;
}

type Process = 'harm' | 'safe';
type KnownBet = { readonly logWeight: number; readonly bet: number };

/** Searching bets takes longer than using them, and each look uses the same ones: the newest are kept. */
const KNOWN_BETS_MAX = 64;
const knownBets = new Map<string, readonly KnownBet[]>();

function betsFor(process: Process, claim: LinearClaim): readonly KnownBet[] {
  const key = `${process} ${claim.ratio} ${claim.absolute}`;
  const known = knownBets.get(key);
  if (known !== undefined) return known;
  const alternatives = process === 'harm' ? harmAlternatives(claim) : safeAlternatives(claim);
  const all = alternatives.reduce((sum, { part }) => sum + part, 0);
  const bets = alternatives.map((each) => ({
    logWeight: Math.log(each.part / all),
    bet: bestBet(each, claim),
  }));
  knownBets.set(key, bets);
  const [oldest] = knownBets.keys();
  if (knownBets.size > KNOWN_BETS_MAX && oldest !== undefined) knownBets.delete(oldest);
  return bets;
}

/** Halvings until the best bet is known as well as it can be. */
const HALVINGS = 60;

/** The bet that grows fastest if the rates are an alternative's; one for safety is below 0. The growth is concave. */
function bestBet(alternative: Alternative, claim: LinearClaim): number {
  const { ratio, absolute } = claim;
  const isHarm = alternative.candidate > limitAt(alternative.reference, claim);
  let low = isHarm ? 0 : -1 / (1 - absolute);
  let high = isHarm ? 1 / (ratio + absolute) : 0;
  const outcomes = outcomesOf(alternative, claim);
  for (let round = 0; round < HALVINGS; round += 1) {
    const bet = (low + high) / 2;
    const slope = outcomes.reduce((sum, [z, p]) => sum + (p * z) / Math.max(0, 1 + bet * z), 0);
    if (slope > 0) low = bet;
    else high = bet;
  }
  return (low + high) / 2;
}

/** Z and its probability, of outcomes that the alternative has at all. */
function outcomesOf(
  { candidate, reference }: Alternative,
  { ratio, absolute }: LinearClaim,
): readonly (readonly [z: number, p: number])[] {
  const all = [
    [-absolute, (1 - candidate) * (1 - reference)],
    [1 - absolute, candidate * (1 - reference)],
    [-ratio - absolute, (1 - candidate) * reference],
    [1 - ratio - absolute, candidate * reference],
  ] as const;
  return all.filter(([, p]) => p > 0);
}

/** Each pair of shares once, in one order: whole counts add exactly, and sums of logarithms then have one order. */
function pool(seen: PairedShares): PairedShares {
  const pooled = new Map<string, [number, number, number]>();
  for (const [candidate, reference, count] of seen) {
    for (const share of [candidate, reference]) {
      if (!(share >= 0 && share <= 1)) {
        throw new RangeError(`share: expected a number in [0, 1], found ${share}`);
      }
    }
    const key = `${candidate} ${reference}`;
    const before = pooled.get(key)?.[2] ?? 0;
    pooled.set(key, [candidate, reference, before + count]);
  }
  return [...pooled.values()].sort(([a, b], [c, d]) => a - c || b - d);
}
