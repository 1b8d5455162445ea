import type { Evidence, PairCounts } from '../core/evidence.ts';
import { latencyBlockMsOf, type RolloutSpec } from '../core/rollout.ts';
import { durationText, tenthsText } from '../core/text.ts';
import {
  type BlockValues,
  logHarmFromAnyStart,
  logHarmOfBlocks,
  logSafeOfBlocks,
} from '../stats/block-bets.ts';
import { type Measurements, readMeasurements, tooFewText } from './blocks.ts';
import { type Judgement, missing, type Proof } from './judgement.ts';
import { brief } from './mean-difference.ts';

/**
 * Whether the candidate's run is slower than the margin allows in more than half of the twinned pairs, by one value per block of
 * time: the share of its pairs that were slower. Runs are slow in a row (a stall, a busy machine), so pairs of one block are no
 * independent trials. Shadow timing is a proxy (other process, other neighbours), so it can reject and never promote.
 */
export function judgePairedLatency(evidence: Evidence, { margins }: RolloutSpec): Judgement {
  const { ratio, floorMs } = margins.pairedLatency;
  const read = readPairs(evidence);
  const [pairs, slower] = sumsOf(read?.counts ?? []);
  return {
    samples: read?.counts.length ?? 0,
    sampleMs: read?.eachMs,
    candidateEvents: slower,
    referenceEvents: 0,
    estimate: pairs > 0 ? slower / pairs : undefined,
    margin: `slower than max(${brief(ratio)} x twin, twin + ${brief(floorMs)} ms) in at most half of the pairs, by blocks of ${durationText(latencyBlockMsOf(margins))}`,
    proof: proofOf(read, evidence),
  };
}

/**
 * Natural logarithms of the evidence that the candidate is slower in more, and in less, than this share of the pairs, all the time.
 * `share` is strictly between 0 and 1. Undefined: too few blocks to say.
 */
export function evidenceOfShare(
  evidence: Evidence,
  share: number,
): { readonly logMore: number; readonly logLess: number } | undefined {
  const read = readPairs(evidence);
  if (read === undefined || read.counts.length < MEASUREMENTS_MIN) return undefined;
  const blocks = valuesOf(read.counts, share);
  return { logMore: logHarmOfBlocks(blocks), logLess: logSafeOfBlocks(blocks) };
}

/** Pairs of one measurement, at least: what holds up that many in a row is one event. */
const PAIRS_MIN = 20;

/** Fewer measurements do not show whether they depend on each other. */
const MEASUREMENTS_MIN = 18;

/** Smaller than those on live requests: no caller waits in shadow, and small bets outlast longer runs. */
const BET_PARTS = [0.05, 0.1, 0.2, 0.4];

/** The share of slower pairs that is still acceptable. */
const HALF = 0.5;

/** Measurements that must not speak against a candidate by themselves: the others may be of before it became slow. */
const LAST = 12;

function readPairs(evidence: Evidence): Measurements<PairCounts> | undefined {
  return readMeasurements(evidence.latencyBlocks, {
    isWhole: ([pairs, slower]) => slower <= pairs,
    isEnough: ([pairs]) => pairs >= PAIRS_MIN,
  });
}

function proofOf(read: Measurements<PairCounts> | undefined, evidence: Evidence): Proof {
  if (read === undefined) return missing('the blocks are not whole counts');
  if (evidence.pairedLatency.pairs === 0) {
    const isEarly = evidence.mirror.compared === 0;
    return missing(isEarly ? 'no twin pairs yet' : 'no twin pairs: set twin > 0');
  }
  if (read.counts.length < MEASUREMENTS_MIN) return missing(tooFewText(read, MEASUREMENTS_MIN));
  const { counts } = read;
  const excessFrom = excessesOf(counts);
  const logHarm = logHarmFromAnyStart(valuesOf(counts, HALF), {
    least: MEASUREMENTS_MIN,
    isBeyond: (from) => (excessFrom[from] ?? 0) > 0,
  });
  return { kind: 'evidence', logHarm, safe: undefined, held: lastText(counts) };
}

function valuesOf(counts: readonly PairCounts[], share: number): BlockValues {
  const values = counts.map(([pairs, slower]) => slower / pairs - share);
  return { values, lower: -share, upper: 1 - share, parts: BET_PARTS };
}

/** Slower pairs beyond half of them, from each measurement on, to the newest. */
function excessesOf(counts: readonly PairCounts[]): readonly number[] {
  let excess = 0;
  const excesses: number[] = [];
  for (let from = counts.length - 1; from >= 0; from -= 1) {
    const [pairs, slower] = counts[from] ?? [0, 0];
    excess += slower - HALF * pairs;
    excesses[from] = excess;
  }
  return excesses;
}

function lastText(counts: readonly PairCounts[]): string | undefined {
  const [pairs, slower] = sumsOf(counts.slice(-LAST));
  if (!(slower > HALF * pairs)) return undefined;
  return `slower in ${tenthsText(slower / pairs)} of the pairs of the last ${LAST} blocks`;
}

function sumsOf(counts: readonly PairCounts[]): PairCounts {
  return counts.reduce<PairCounts>(
    (sum, [pairs, slower]) => [sum[0] + pairs, sum[1] + slower],
    [0, 0],
  );
}
