/**
 * One-sided tests of the mean of one bounded value per block of time, for values that may depend on those before: the noise of an
 * arm, such as a busy machine, lasts from one block into the next.
 *
 * The bets are those of E1 (`bets.ts`): constant, set by the range alone. For values that do not depend on each other the result is
 * an e-process. Where they do, a bet wins and loses in runs, and its wealth reaches 1/a with a probability of about a^(1/v), v being
 * the ratio of the variance of sums to what it would be without dependence. So the logarithm of the wealth is divided by v, as
 * `variance-ratio.ts` measures it in the same values. That is approximate: docs/reference/statistics.md has its calibration.
 *
 * A change is no noise. A candidate that becomes slow after an hour leaves a series whose variance ratio is huge, because the step
 * itself is taken for noise that lasts. So the evidence for harm is an average over when it may have begun: most of the money is
 * on the whole series, the rest on stretches that begin at fixed places. Each has the greater of two variance ratios: that of the
 * stretch, around a line where it rises, and that of what came before it. Where a step or a slow rise is the only change both are
 * small; where an arm wanders by itself, what came before shows it.
 */
import { evenMixture, logEvidence } from './mixture.ts';
import { VarianceRatios, varianceRatio } from './variance-ratio.ts';

/** Differences from the margin, one per block, in the order of time: at most 0 in the mean if the candidate is within it. */
export type BlockValues = {
  readonly values: readonly number[];
  /** What values are declared to stay in: `lower` below 0, `upper` above it. */
  readonly lower: number;
  readonly upper: number;
  /** Bets, as parts of the greatest one that cannot lose more than there is. */
  readonly parts: readonly number[];
};

/** Natural logarithm of the evidence that the mean is above 0 all the time. */
export function logHarmOfBlocks(blocks: BlockValues): number {
  checkRange(blocks);
  return discounted(blocks, -1 / blocks.lower);
}

/** Natural logarithm of the evidence that the mean is below 0 all the time. */
export function logSafeOfBlocks(blocks: BlockValues): number {
  checkRange(blocks);
  return discounted(blocks, -1 / blocks.upper);
}

export type AnyStart = {
  /** Blocks of a stretch, at least: fewer do not show whether they depend on each other. */
  readonly least: number;
  /** False where the plain counts from this block on are within the margin: then the stretch speaks for no harm. */
  readonly isBeyond: (from: number) => boolean;
};

/** Natural logarithm of the evidence that the mean is above 0 from the first block on, or from some later one on. */
export function logHarmFromAnyStart(blocks: BlockValues, { least, isBeyond }: AnyStart): number {
  checkRange(blocks);
  const { values, parts, lower } = blocks;
  const wealths = parts.map((part) => wealthsFrom(values, -part / lower));
  const ratios = new VarianceRatios(values);
  const stretches = startsOf(values.length, least).map((from, index) => {
    const logWeight = Math.log(weightOf(index));
    const logWealth = logEvidence(evenMixture(wealths.map((wealth) => wealth[from] ?? 0)));
    const speaks = logWeight + logWealth > 0 && isBeyond(from);
    const logDiscounted = speaks ? discountedFrom(from, { ratios, logWeight, logWealth }) : 0;
    return { logWeight, logWealth: Math.min(logWealth, logDiscounted) };
  });
  return logEvidence(stretches);
}

/** Blocks between two starts. */
const EVERY = 6;

/** Where a stretch begins, the change may have come some blocks before: those are neither in it nor in what came before it. */
const GAP = 12;

/** Blocks from which on what came before a stretch shows how an arm wanders. */
const BEFORE_LEAST = 24;

function startsOf(count: number, least: number): readonly number[] {
  const later = Math.min(LATER_MAX, Math.max(0, Math.floor((count - least) / EVERY)));
  return Array.from({ length: later + 1 }, (_, index) => index * EVERY);
}

/** Of the money on harm, what is on the whole series: it is shown nearly as soon as if all were. */
const PART_WHOLE = 7 / 8;

/** Stretches that the rest is on, at most: as many as begin in 1,024 blocks. */
const LATER_MAX = 170;

/** The earlier a stretch begins the more is on it, but no stretch gets next to nothing. Parts of one sum, so all add up to 1. */
const LATER_PARTS = Array.from({ length: LATER_MAX }, (_, index) => 1 / (index + 9));
const LATER_SUM = LATER_PARTS.reduce((sum, part) => sum + part, 0);

function weightOf(index: number): number {
  if (index === 0) return PART_WHOLE;
  return ((1 - PART_WHOLE) * (LATER_PARTS[index - 1] ?? 0)) / LATER_SUM;
}

type Stretch = {
  readonly ratios: VarianceRatios;
  readonly logWeight: number;
  readonly logWealth: number;
};

/** Divided by the greater variance ratio. 0 where it matters to no verdict, which saves most of the work. */
function discountedFrom(from: number, { ratios, logWeight, logWealth }: Stretch): number {
  // Without enough before it, nothing but the stretch itself shows how an arm wanders: a rise may be part of that.
  if (from - GAP < BEFORE_LEAST) return logWealth / ratios.of(from, ratios.count);
  const since = logWealth / ratios.ofRising(from, ratios.count);
  if (logWeight + since <= 0) return 0;
  return Math.min(since, logWealth / ratios.of(0, from - GAP));
}

/** What a bet has made of its money by the last block if it began at each place, as logarithms. */
function wealthsFrom(values: readonly number[], bet: number): Float64Array {
  const wealths = new Float64Array(values.length + 1);
  for (let at = values.length - 1; at >= 0; at -= 1) {
    wealths[at] = (wealths[at + 1] ?? 0) + Math.log1p(bet * (values[at] ?? 0));
  }
  return wealths;
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
