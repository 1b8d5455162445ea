/**
 * One-sided tests of the mean of one bounded value per block of time, for values that may depend on those before: the noise of an
 * arm, such as a busy machine, lasts from one block into the next.
 *
 * The bets are those of E1 (`bets.ts`): constant, set by the range alone. For values that do not depend on each other the result is
 * an e-process. Where they do, a bet wins and loses in runs, and its wealth reaches 1/a with a probability of about a^(1/v), v being
 * the ratio of the variance of sums to what it would be without dependence. So the logarithm of the wealth is divided by v, as
 * `variance-ratio.ts` measures it in the same values. That is approximate: docs/reference/statistics.md has its calibration.
 */
import { evenMixture, logEvidence } from './mixture.ts';
import { varianceRatio } from './variance-ratio.ts';

/** Differences from the margin, one per block, in the order of time: at most 0 in the mean if the candidate is within it. */
export type BlockValues = {
  readonly values: readonly number[];
  /** What values are declared to stay in: `lower` below 0, `upper` above it. */
  readonly lower: number;
  readonly upper: number;
  /** Bets, as parts of the greatest one that cannot lose more than there is. */
  readonly parts: readonly number[];
};

/** Natural logarithm of the evidence that the mean is above 0. */
export function logHarmOfBlocks(blocks: BlockValues): number {
  checkRange(blocks);
  return discounted(blocks, -1 / blocks.lower);
}

/** Natural logarithm of the evidence that the mean is below 0. */
export function logSafeOfBlocks(blocks: BlockValues): number {
  checkRange(blocks);
  return discounted(blocks, -1 / blocks.upper);
}

function discounted({ values, parts }: BlockValues, greatest: number): number {
  const wealths = parts.map((part) => {
    let sum = 0;
    for (const value of values) sum += Math.log1p(part * greatest * value);
    return sum;
  });
  return logEvidence(evenMixture(wealths)) / varianceRatio(values);
}

function checkRange({ lower, upper, values }: BlockValues): void {
  if (!(lower < 0 && upper > 0)) {
    throw new RangeError(`expected a range around 0, found ${lower} to ${upper}`);
  }
  const outside = values.find((value) => !(value >= lower && value <= upper));
  if (outside !== undefined) {
    throw new RangeError(`expected values from ${lower} to ${upper}, found ${outside}`);
  }
}
