import { drawnMost } from '../core/drawn-loss.ts';
import { falseRollbackOf } from '../core/holdback.ts';
import { falsePromotionOf, pairedErrorsClaim, type RolloutSpec } from '../core/rollout.ts';
import type { MetricName } from '../core/verdict.ts';
import {
  type BetRules,
  harmOfHalf,
  harmOfMean,
  safeOfMean,
  superiorOfMean,
  type ValueCounts,
} from '../stats/bets.ts';
import { alikeOfClaim, harmOfClaim, type LinearClaim, safeOfClaim } from '../stats/linear-claim.ts';
import { logSumExp } from '../stats/log-sum-exp.ts';
import type { Mixture } from '../stats/mixture.ts';
import { harmOfPairs, safeOfPairs } from '../stats/paired-claim.ts';
import { type Rates, type Truth, wrongRates } from './truth.ts';

export type Side = 'harm' | 'safe';

/** The bets on a metric: what each has come to, or what a sample adds. */
export type Bets = Mixture;

/** What is expected of one metric: of which claim, for which truth. */
export type Expectation = {
  readonly metric: MetricName;
  readonly side: Side;
  readonly spec: Omit<RolloutSpec, 'salt'>;
  readonly truth: Truth;
  /** Live metrics: the probability that a unit of the two arms is the candidate's. */
  readonly odds: number;
  /** The bets of a step's claim in the place of those of a verdict. */
  readonly isStep?: boolean;
  /** Of one slice, which a claim of "better" does not ask for. */
  readonly isSlice?: boolean;
};

/** Whether a metric has to show that the candidate is better. */
export function isClaimedBetter({
  metric,
  side,
  spec,
  isSlice = false,
}: Pick<Expectation, 'metric' | 'side' | 'spec' | 'isSlice'>): boolean {
  return metric === 'labelledLoss' && side === 'safe' && spec.claim === 'superior' && !isSlice;
}

/**
 * What one sample adds to each bet's logarithm in expectation: a pair in shadow, a unit of either arm live. The bets are those that
 * judge, so what mixing them costs is in it. Undefined where the metric cannot show it.
 */
export function expectedGrowth(expectation: Expectation): Bets | undefined {
  const { metric, side, spec, truth, odds, isStep = false } = expectation;
  const { margins } = spec;
  const test = side === 'harm' ? harmOfClaim : isStep ? alikeOfClaim : safeOfClaim;
  switch (metric) {
    case 'pairedErrors':
      return failedPairs(side, pairedErrorsClaim(margins), truth.errors);
    case 'labelledLoss': {
      const { lost: plus, won: minus } = truth.loss;
      const drawn = drawnValues({ plus, minus }, spec);
      if (isClaimedBetter(expectation)) return superiorOfMean(drawn.values, drawn.most);
      return ofLabels(side, drawn, spec);
    }
    case 'anchorLoss': {
      const { lost: plus, won: minus } = truth.anchorLoss;
      return ofLabels(side, drawnValues({ plus, minus }, spec), spec);
    }
    case 'disagreement':
      return ofDisagreement(side, spec, truth);
    case 'pairedLatency':
      return side === 'harm' ? harmOfHalf(truth.slower, 1) : undefined;
    case 'errors':
      return claim(test, margins.errors, { rates: truth.errors, odds });
    case 'slowRequests':
      return claim(test, margins.slowRequests, { rates: truth.slow, odds });
    case 'liveLoss':
      // Of two users, one of each arm: each unit of the candidate is compared with one of the reference or more.
      return differences(side, failuresOf(wrongRates(truth)), { margin: margins.labelledLoss });
  }
}

/** The logarithm that an e-value must reach for a finding. */
export function logNeeded(side: Side, spec: Omit<RolloutSpec, 'salt'>, weight: number): number {
  return side === 'safe'
    ? -Math.log(falsePromotionOf(spec))
    : -Math.log(weight * falseRollbackOf(spec));
}

/** What was gathered, after so many samples more. Both are of the same bets. */
export function grown(before: Bets | undefined, growth: Bets, samples: number): Bets {
  return growth.map(({ logWeight, logWealth }, index) => ({
    logWeight,
    logWealth: (before?.[index]?.logWealth ?? 0) + samples * logWealth,
  }));
}

/**
 * Samples more until the e-value reaches `logNeeded`, in expectation; Infinity: never.
 *
 * @param before what was gathered, of the same bets.
 */
export function samplesUntil(before: Bets | undefined, growth: Bets, needed: number): number {
  const logAfter = (samples: number): number =>
    logSumExp(grown(before, growth, samples).map((bet) => bet.logWeight + bet.logWealth));
  if (logAfter(0) >= needed) return 0;
  // Each growing bet alone gets there in the end.
  const latest = growth.flatMap(({ logWeight, logWealth }, index) => {
    const had = before?.[index]?.logWealth ?? 0;
    return logWealth > 0 ? [(needed - logWeight - had) / logWealth] : [];
  });
  if (latest.length === 0) return Number.POSITIVE_INFINITY;
  let [low, high] = [0, Math.max(0, Math.min(...latest))];
  for (let round = 0; round < HALVINGS && high - low > 1e-9 * high; round += 1) {
    const middle = (low + high) / 2;
    if (logAfter(middle) < needed) low = middle;
    else high = middle;
  }
  return high;
}

const HALVINGS = 80;

/** Parts of the pairs whose difference is 1, and -1. */
type Discordant = { readonly plus: number; readonly minus: number };

function differences(
  side: Side,
  discordant: Discordant,
  { margin }: { readonly margin: number },
): Bets {
  const test = side === 'harm' ? harmOfMean : safeOfMean;
  return test(valuesOf(discordant), { lower: -1, upper: 1, margin });
}

type DrawnValues = {
  readonly values: ValueCounts;
  readonly most: number;
  readonly rules: BetRules;
};

/** Where labels are drawn every pair is a sample, and a drawn difference counts over its probability. */
function drawnValues({ plus, minus }: Discordant, spec: Omit<RolloutSpec, 'salt'>): DrawnValues {
  const queue = spec.labels?.queue;
  if (queue === undefined) return { values: valuesOf({ plus, minus }), most: 1, rules: 'labels' };
  const { probability } = queue;
  const drawn = valuesOf({ plus: plus * probability, minus: minus * probability });
  const values = drawn.map(([value, part]) => [value / probability, part] as const);
  return { values, most: drawnMost(queue), rules: 'drawn' };
}

function ofLabels(
  side: Side,
  { values, most, rules }: DrawnValues,
  { margins }: Omit<RolloutSpec, 'salt'>,
): Bets {
  const test = side === 'harm' ? harmOfMean : safeOfMean;
  return test(values, { lower: -most, upper: most, margin: margins.labelledLoss }, rules);
}

function valuesOf({ plus, minus }: Discordant): ValueCounts {
  return [
    [-1, minus],
    [0, 1 - plus - minus],
    [1, plus],
  ];
}

/** Failures of two versions on the same request, independent of each other. */
function failedPairs(side: Side, margin: LinearClaim, { candidate, reference }: Rates): Bets {
  const test = side === 'harm' ? harmOfPairs : safeOfPairs;
  const both = candidate * reference;
  const seen = [
    [0, 0, 1 - candidate - reference + both],
    [1, 0, candidate - both],
    [0, 1, reference - both],
    [1, 1, both],
  ] as const;
  return test(seen, margin);
}

/** Differences of two versions from a third, independent of each other. */
export function failuresOf({ candidate, reference }: Rates): Discordant {
  return { plus: candidate * (1 - reference), minus: reference * (1 - candidate) };
}

function ofDisagreement(
  side: Side,
  { margins, intent, expectedDisagreement }: Omit<RolloutSpec, 'salt'>,
  { disagreement }: Truth,
): Bets | undefined {
  if (intent === 'equivalent')
    return differences(side, failuresOf(disagreement), { margin: margins.disagreement });
  if (expectedDisagreement === undefined && side === 'safe') return undefined;
  const margin = (expectedDisagreement?.rate ?? 0) + margins.disagreement;
  if (!(margin < 1)) return undefined;
  const test = side === 'harm' ? harmOfMean : safeOfMean;
  const values: ValueCounts = [
    [0, 1 - disagreement.candidate],
    [1, disagreement.candidate],
  ];
  return test(values, { lower: 0, upper: 1, margin });
}

type Exposed = { readonly rates: Rates; readonly odds: number };

function claim(
  test: typeof safeOfClaim,
  margin: { readonly ratio: number; readonly absolute: number },
  { rates, odds }: Exposed,
): Bets | undefined {
  if (!(odds > 0 && odds < 1)) return undefined;
  const shares = (rate: number, part: number): ValueCounts => [
    [0, part * (1 - rate)],
    [1, part * rate],
  ];
  const seen = {
    odds,
    candidate: shares(rates.candidate, odds),
    reference: shares(rates.reference, 1 - odds),
  };
  return test([seen], margin);
}
