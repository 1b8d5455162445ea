/**
 * Is the candidate's rate of bad things at most `ratio` times the reference's plus `absolute`, under random assignment?
 *
 * One claim that is linear in both rates, so that it holds of the whole where it holds at every moment, however the rates drift.
 * (The larger of two limits has no such test: while the rates drift, neither limit need hold all the time.) With A = 1 for a unit
 * of the candidate, which has the known odds p, and X in [0, 1] the bad share of the unit,
 *   Z = A X / p - ratio (1 - A) X / (1 - p) - absolute
 * has mean at most 0 given the past wherever the claim holds, at least 0 wherever it does not. So the products
 *   harm: prod(1 + bet * Z), 0 <= bet <= 1 / (ratio / (1 - p) + absolute)
 *   safe: prod(1 - bet * Z), 0 <= bet <= 1 / (1 / p - absolute)
 * stay non-negative and do not grow on average under their null. A unit that is fine counts the same in both arms, so a split
 * that is not as assigned proves nothing by itself. That costs some 1 % of the growth at rates of 1 %, and 5 % at rates of 5 %.
 *
 * Each bet is the best one for an alternative, a pair of rates, at the given odds: so one bet goes on at other odds as the bet
 * that fits there. All bets are constant, set by the claim and the odds, so the evidence depends on counts only.
 *
 * Source: inverse-propensity betting, Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, "Anytime-valid off-policy inference
 * for contextual bandits" (arXiv 2210.10768).
 */
import type { ValueCounts } from './bets.ts';
import { countLog } from './log-sum-exp.ts';
import type { Mixture } from './mixture.ts';

/** The candidate's rate is at most `ratio` x the reference's plus `absolute`. `ratio` above 0, `absolute` between 0 and 1. */
export type LinearClaim = { readonly ratio: number; readonly absolute: number };

/** The bad shares of units, each in [0, 1], that went to the candidate with probability `odds` (given one of the two arms). */
export type ExposedShares = {
  readonly odds: number;
  readonly candidate: ValueCounts;
  readonly reference: ValueCounts;
};

/** What a unit multiplies the money by: one that is fine, and one of each arm that is bad. Linear in the share in between. */
type Factors = { readonly fine: number; readonly candidate: number; readonly reference: number };

/** Rates that an alternative claims, and its part of the money. */
export type Alternative = {
  readonly candidate: number;
  readonly reference: number;
  readonly part: number;
};

/** Evidence that the candidate's rate is above the claim's limit. */
export function harmOfClaim(seen: readonly ExposedShares[], claim: LinearClaim): Mixture {
  return mixtureOver(seen, claim, 'harm');
}

/** Evidence that the candidate's rate is below the claim's limit. */
export function safeOfClaim(seen: readonly ExposedShares[], claim: LinearClaim): Mixture {
  return mixtureOver(seen, claim, 'safe');
}

/**
 * As `safeOfClaim`, with all money on a candidate that is about as good as the reference: it shows a claim much coarser than such a
 * candidate needs with a fifth to a quarter fewer units, and one close to the limit later.
 */
export function alikeOfClaim(seen: readonly ExposedShares[], claim: LinearClaim): Mixture {
  return mixtureOver(seen, claim, 'alike');
}

/** Rates at which both arms fail alike, by `absolute`, and their parts of the money; 0: neither ever fails. */
type AlikeParts = readonly (readonly [byAbsolute: number, part: number])[];

/** Of a step's claim, which is much coarser than such a candidate needs. */
const ALIKE_AT_STEP: AlikeParts = [
  [0, 0.15],
  [0.1, 0.4],
  [0.5, 0.2],
  [2, 0.25],
];

function alikeAlternatives(claim: LinearClaim): readonly Alternative[] {
  return alikeAt(ALIKE_AT_STEP, claim);
}

/**
 * At a ratio below 1 a candidate that fails as often as the reference is no better than the limit: those are left out. Arms that never
 * fail stay however wide the claim is, so that there is a bet on any.
 */
function alikeAt(parts: AlikeParts, claim: LinearClaim): readonly Alternative[] {
  return parts.flatMap(([times, part]) => {
    const rate = times * claim.absolute;
    const limit = limitAt(rate, claim);
    const isBelow = rate === 0 || (rate < limit && limit < HIGHEST_RATE);
    return isBelow ? { candidate: rate, reference: rate, part } : [];
  });
}

/** The reference's rates of the alternatives: from a quarter of `absolute` up, as long as they and the limit stay below this. */
const LOWEST_BASE = 0.25;
const BASE_GROWTH = 3;
const HIGHEST_RATE = 0.98;

/**
 * Of the claim itself. At even odds the best bets of all alternatives lie on one line: the greatest where neither arm ever fails, a
 * quarter of it where both often do, less where the candidate is close to its limit. So few alternatives serve all truths.
 */
const ALIKE: AlikeParts = [
  [0, 0.28],
  [0.5, 0.3],
  [2.5, 0.27],
  [12.5, 0.06],
];

/** The candidate at this part of its limit, where the reference is at the given multiple of `absolute`. */
const BELOW_BASE = 2.5;
const BELOW: readonly (readonly [ofLimit: number, part: number])[] = [
  [0.83, 0.06],
  [0.91, 0.03],
];

/** The candidate's rates that are claimed for harm, as multiples of its limit. */
const ABOVE = [1.25, 1.5, 2, 3, 5, 10, 30];

export function safeAlternatives(claim: LinearClaim): readonly Alternative[] {
  const base = BELOW_BASE * claim.absolute;
  const reference = limitAt(base, claim) < HIGHEST_RATE ? base : 0;
  const limit = limitAt(reference, claim);
  const below = BELOW.map(([ofLimit, part]) => ({ candidate: ofLimit * limit, reference, part }));
  return [...alikeAt(ALIKE, claim), ...below];
}

export function harmAlternatives(claim: LinearClaim): readonly Alternative[] {
  return [0, ...basesOf(claim)].flatMap((base) => {
    const limit = limitAt(base, claim);
    const rates = ABOVE.map((times) => times * limit).filter((rate) => rate < 1);
    const claimed = rates.length > 0 ? rates : [(1 + limit) / 2];
    return claimed.map((rate) => ({ candidate: rate, reference: base, part: 1 }));
  });
}

function basesOf(claim: LinearClaim): readonly number[] {
  const bases: number[] = [];
  let base = LOWEST_BASE * claim.absolute;
  while (Math.max(base, limitAt(base, claim)) < HIGHEST_RATE) {
    bases.push(base);
    base *= BASE_GROWTH;
  }
  return bases;
}

export function limitAt(reference: number, { ratio, absolute }: LinearClaim): number {
  return ratio * reference + absolute;
}

function mixtureOver(
  seen: readonly ExposedShares[],
  claim: LinearClaim,
  process: keyof typeof ALTERNATIVES,
): Mixture {
  const { ratio, absolute } = claim;
  if (!(ratio > 0 && Number.isFinite(ratio))) {
    throw new RangeError(`ratio: expected a number above 0, found ${ratio}`);
  }
  if (!(absolute > 0 && absolute < 1)) {
    throw new RangeError(`absolute: expected a number between 0 and 1, found ${absolute}`);
  }
  const pooled = poolByOdds(seen);
  const bets = betsOf(process, claim);
  const factorsAt = pooled.map(({ odds }) => factorsFor(bets, claim, odds));
  return bets.logWeights.map((logWeight, alternative) => {
    let logWealth = 0;
    for (const [at, { candidate, reference }] of pooled.entries()) {
      const factors = factorsAt[at]?.[alternative] ?? NEUTRAL;
      logWealth += logGrowth(candidate, factors.fine, factors.candidate);
      logWealth += logGrowth(reference, factors.fine, factors.reference);
    }
    return { logWeight, logWealth };
  });
}

function logGrowth(shares: ValueCounts, fine: number, bad: number): number {
  let sum = 0;
  for (const [share, count] of shares) sum += countLog(count, fine + share * (bad - fine));
  return sum;
}

/** 1 + bet * Z; a bet for safety is below 0. Rounding leaves no factor below 0. */
function factorsOf(bet: number, { ratio, absolute }: LinearClaim, odds: number): Factors {
  const fine = 1 - bet * absolute;
  return {
    fine,
    candidate: Math.max(0, fine + bet / odds),
    reference: Math.max(0, fine - (bet * ratio) / (1 - odds)),
  };
}

/** What multiplies no money. */
const NEUTRAL: Factors = { fine: 1, candidate: 1, reference: 1 };

/** The alternatives of a claim, their parts of the money, and what each bet on them does, by odds. */
type ClaimBets = {
  readonly alternatives: readonly Alternative[];
  readonly logWeights: readonly number[];
  readonly factors: Map<number, readonly Factors[]>;
};

/** Searching a bet takes as long as using it a thousand times, and each look uses the same ones: the newest are kept. */
const KNOWN_BETS_MAX = 64;
const ODDS_MAX = 16;
const knownBets = new Map<string, ClaimBets>();

/** How an e-process picks its alternatives; by name, since that is what its bets are known by. */
const ALTERNATIVES = {
  harm: harmAlternatives,
  safe: safeAlternatives,
  alike: alikeAlternatives,
} as const;

function betsOf(process: keyof typeof ALTERNATIVES, claim: LinearClaim): ClaimBets {
  const key = `${process} ${claim.ratio} ${claim.absolute}`;
  const known = knownBets.get(key);
  if (known !== undefined) return known;
  const alternatives = ALTERNATIVES[process](claim);
  const all = alternatives.reduce((sum, { part }) => sum + part, 0);
  const logWeights = alternatives.map(({ part }) => Math.log(part / all));
  const bets = { alternatives, logWeights, factors: new Map() };
  remember(knownBets, { key, value: bets, most: KNOWN_BETS_MAX });
  return bets;
}

/** What the best bet for each alternative does, at these odds. */
function factorsFor(bets: ClaimBets, claim: LinearClaim, odds: number): readonly Factors[] {
  const known = bets.factors.get(odds);
  if (known !== undefined) return known;
  const factors = bets.alternatives.map((each) =>
    factorsOf(bestBet(each, claim, odds), claim, odds),
  );
  remember(bets.factors, { key: odds, value: factors, most: ODDS_MAX });
  return factors;
}

function remember<Key, Value>(
  known: Map<Key, Value>,
  { key, value, most }: { readonly key: Key; readonly value: Value; readonly most: number },
): void {
  known.set(key, value);
  const [oldest] = known.keys();
  if (known.size > most && oldest !== undefined) known.delete(oldest);
}

/** Halvings until the best bet is known as well as it can be. */
const HALVINGS = 60;

/** The bet that grows fastest if the rates are an alternative's: the growth is concave, so where its derivative changes sign. */
function bestBet(alternative: Alternative, claim: LinearClaim, odds: number): number {
  const { ratio, absolute } = claim;
  const isHarm = alternative.candidate > limitAt(alternative.reference, claim);
  let low = isHarm ? 0 : -1 / (1 / odds - absolute);
  let high = isHarm ? 1 / (ratio / (1 - odds) + absolute) : 0;
  for (let round = 0; round < HALVINGS; round += 1) {
    const bet = (low + high) / 2;
    if (growthSlope(bet, alternative, { claim, odds }) > 0) low = bet;
    else high = bet;
  }
  return (low + high) / 2;
}

/** The derivative of the mean of log(1 + bet * Z) in the bet. */
function growthSlope(
  bet: number,
  { candidate, reference }: Alternative,
  { claim, odds }: { readonly claim: LinearClaim; readonly odds: number },
): number {
  const { ratio, absolute } = claim;
  const factors = factorsOf(bet, claim, odds);
  const [onCandidate, onReference] = [odds * candidate, (1 - odds) * reference];
  const gained = (onCandidate * (1 / odds - absolute)) / factors.candidate;
  const lost = (onReference * (ratio / (1 - odds) + absolute)) / factors.reference;
  const waited = ((1 - onCandidate - onReference) * absolute) / factors.fine;
  // What never happens costs nothing, even where the bet would lose all of its money on it.
  return (candidate > 0 ? gained : 0) - (reference > 0 ? lost : 0) - waited;
}

/** One entry for each odds and share, in their order: whole counts add exactly, and sums of logarithms then have one order. */
function poolByOdds(seen: readonly ExposedShares[]): readonly ExposedShares[] {
  const pooled = new Map<number, { candidate: ValueCounts; reference: ValueCounts }>();
  for (const { odds, candidate, reference } of seen) {
    if (!(odds > 0 && odds < 1)) {
      throw new RangeError(`odds: expected a number between 0 and 1, found ${odds}`);
    }
    const so = pooled.get(odds) ?? { candidate: [], reference: [] };
    pooled.set(odds, {
      candidate: [...so.candidate, ...candidate],
      reference: [...so.reference, ...reference],
    });
  }
  return [...pooled]
    .sort(([a], [b]) => a - b)
    .map(([odds, { candidate, reference }]) => ({
      odds,
      candidate: poolShares(candidate),
      reference: poolShares(reference),
    }));
}

function poolShares(shares: ValueCounts): ValueCounts {
  const pooled = new Map<number, number>();
  for (const [share, count] of shares) {
    if (!(share >= 0 && share <= 1)) {
      throw new RangeError(`share: expected a number in [0, 1], found ${share}`);
    }
    pooled.set(share, (pooled.get(share) ?? 0) + count);
  }
  return [...pooled].sort(([a], [b]) => a - b);
}
