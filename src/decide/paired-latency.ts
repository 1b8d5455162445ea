import type { Evidence, PairCounts } from '../core/evidence.ts';
import { latencyBlockMsOf, type RolloutSpec } from '../core/rollout.ts';
import { durationText } from '../core/text.ts';
import { logHarmOfBlocks } from '../stats/block-bets.ts';
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
  const read = readMeasurements(evidence.latencyBlocks, {
    isWhole: ([pairs, slower]) => slower <= pairs,
    isEnough: ([pairs]) => pairs >= PAIRS_MIN,
  });
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

/** Pairs of one measurement, at least: what holds up that many in a row is one event. */
const PAIRS_MIN = 20;

/** Fewer measurements do not show whether they depend on each other. */
const MEASUREMENTS_MIN = 18;

/** Smaller than those on live requests: no caller waits in shadow, and small bets outlast longer runs. */
const BET_PARTS = [0.05, 0.1, 0.2, 0.4];

function proofOf(read: Measurements<PairCounts> | undefined, evidence: Evidence): Proof {
  if (read === undefined) return missing('the blocks are not whole counts');
  if (evidence.pairedLatency.pairs === 0) return missing('no twin pairs: set twin > 0');
  if (read.counts.length < MEASUREMENTS_MIN) return missing(tooFewText(read, MEASUREMENTS_MIN));
  const values = read.counts.map(([pairs, slower]) => slower / pairs - 0.5);
  const blocks = { values, lower: -0.5, upper: 0.5, parts: BET_PARTS };
  return { kind: 'evidence', logHarm: logHarmOfBlocks(blocks), safe: undefined };
}

function sumsOf(counts: readonly PairCounts[]): PairCounts {
  return counts.reduce<PairCounts>(
    (sum, [pairs, slower]) => [sum[0] + pairs, sum[1] + slower],
    [0, 0],
  );
}
