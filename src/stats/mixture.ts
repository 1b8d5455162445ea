import { logSumExp } from './log-sum-exp.ts';

/**
 * An e-process that is a fixed average of several: each bet has a weight that was set before the data, and a wealth. An
 * average of e-processes under one null is an e-process under that null, so the best bet need not be known beforehand.
 */
export type Bet = {
  /** Natural logarithm of the bet's share; the shares of a mixture add up to 1. */
  readonly logWeight: number;
  /** Natural logarithm of what one unit of money has become. */
  readonly logWealth: number;
};

export type Mixture = readonly Bet[];

/** The wealths under equal weights. */
export function evenMixture(logWealths: readonly number[]): Mixture {
  const logWeight = -Math.log(logWealths.length);
  return logWealths.map((logWealth) => ({ logWeight, logWealth }));
}

/** A share of one e-process, and the rest of another for the same null. `share` is between 0 and 1. */
export function shares(share: number, first: Mixture, rest: Mixture): Mixture {
  const weighed = (mixture: Mixture, by: number): Mixture =>
    mixture.map((bet) => ({ ...bet, logWeight: bet.logWeight + Math.log(by) }));
  return [...weighed(first, share), ...weighed(rest, 1 - share)];
}

/** The one that proves less. */
export function lesser(first: Mixture, second: Mixture): Mixture {
  return logEvidence(first) <= logEvidence(second) ? first : second;
}

/** Half of each of two e-processes for the same null. */
export function halfAndHalf(first: Mixture, second: Mixture): Mixture {
  return [...first, ...second].map((bet) => ({ ...bet, logWeight: bet.logWeight - Math.LN2 }));
}

/** Natural logarithm of the e-value. */
export function logEvidence(mixture: Mixture): number {
  return logSumExp(mixture.map((bet) => bet.logWeight + bet.logWealth));
}

/**
 * About how many more samples it takes until the logarithm of the e-value is `logNeeded`, if every bet keeps growing as it
 * did over the first `samples`. Undefined where no bet grows, or nothing has been seen.
 */
export function samplesToGo(
  mixture: Mixture,
  samples: number,
  logNeeded: number,
): number | undefined {
  if (!(samples > 0) || !Number.isFinite(logNeeded)) return undefined;
  if (logEvidence(mixture) >= logNeeded) return 0;
  const logs = new Float64Array(mixture.length);
  const after = (times: number): number => {
    for (const [at, bet] of mixture.entries()) logs[at] = bet.logWeight + bet.logWealth * times;
    return logSumExp(logs);
  };
  // Each growing bet alone gets there in the end, so the earliest of them bounds the answer from above.
  const latest = mixture
    .filter((bet) => bet.logWealth > 0)
    .map((bet) => (logNeeded - bet.logWeight) / bet.logWealth);
  if (latest.length === 0) return undefined;
  let [low, high] = [1, Math.min(...latest)];
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (after(middle) < logNeeded) low = middle;
    else high = middle;
  }
  const more = Math.ceil((high - 1) * samples);
  return Number.isSafeInteger(more) ? more : undefined;
}
