import type { Evidence, SlowCounts } from '../core/evidence.ts';
import { type RolloutSpec, slowBlockMsOf } from '../core/rollout.ts';
import { durationText } from '../core/text.ts';
import { type BlockValues, logHarmFromAnyStart, logSafeOfBlocks } from '../stats/block-bets.ts';
import { evenMixture, logEvidence } from '../stats/mixture.ts';
import { type Measurements, readMeasurements, tooFewText } from './blocks.ts';
import { type Judgement, missing, type Proof } from './judgement.ts';
import { linearProof } from './linear-rule.ts';
import { liveShares } from './live-shares.ts';
import { brief } from './mean-difference.ts';

/**
 * Whether the candidate is slow more often than `ratio` x the reference plus `absolute`, by one value per block of time: the share
 * of its requests that were slow, less what the claim allows. Arms are slow in runs (a stall, a busy machine), so requests of one
 * block are no independent trials, and blocks that depend on each other count for less (`stats/block-bets.ts`). The same must be
 * shown by one value per unit: a few clients with large requests are slow at all times, in the arm that they were drawn to.
 */
export function judgeSlowRequests(evidence: Evidence, { margins }: RolloutSpec): Judgement {
  const claim = margins.slowRequests;
  const cap = capOf(claim);
  const read = readMeasurements(evidence.slowBlocks, {
    isWhole: ([requests, slow, others, slowOthers]) => slow <= requests && slowOthers <= others,
    isEnough: ([requests, , others]) => Math.min(requests, others) * cap >= SLOW_AT_CAP,
  });
  const sums = read === undefined ? NOTHING : sumsOf(read.counts);
  const shares = { candidate: sums[1] / sums[0], reference: sums[3] / sums[2] };
  const ratio = shares.candidate / shares.reference;
  return {
    samples: read?.counts.length ?? 0,
    sampleMs: read?.eachMs,
    candidateEvents: sums[1],
    referenceEvents: sums[3],
    estimate: Number.isFinite(ratio) ? ratio : undefined,
    margin: `slow share < ${brief(claim.ratio)} x reference plus ${brief(claim.absolute * 100)} %, by blocks of ${durationText(slowBlockMsOf(margins))}`,
    proof: proofOf(read, evidence, claim),
  };
}

type Claim = RolloutSpec['margins']['slowRequests'];

/**
 * Blocks of time until the candidate is expected to be shown no worse, where each has its share of slow requests exactly and none
 * depends on the one before; the newest, which does not count, included. Infinity: never.
 */
export function expectedBlocks(
  claim: Claim,
  shares: { readonly candidate: number; readonly reference: number },
  logNeeded: number,
): number {
  const below = claim.ratio * shares.reference + claim.absolute - shares.candidate;
  const upper = capOf(claim) - claim.absolute;
  if (!(below > 0 && upper > 0)) return Number.POSITIVE_INFINITY;
  const growth = BET_PARTS.map((part) => Math.log1p((part * below) / upper));
  let count = MEASUREMENTS_MIN;
  while (logEvidence(evenMixture(growth.map((each) => count * each))) < logNeeded) count += 1;
  return count + 1;
}

/** A share above so many times the limit counts as that much, so that bets may be large and one block cannot decide. */
const CAP_LIMITS = 10;

/** Of the money on harm, what bets on shares without a cap: where the reference itself is slow, all shares are above one. */
const PART_UNCAPPED = 0.25;

/** Requests of each arm in one measurement: enough for so many slow ones where the share is at the cap. */
const SLOW_AT_CAP = 5;

/** Fewer measurements do not show whether they depend on each other. */
const MEASUREMENTS_MIN = 24;

const BET_PARTS = [0.1, 0.3, 0.6, 0.95];

const NOTHING: SlowCounts = [0, 0, 0, 0];

/** Relative to the limit at the share that the quantile leaves above itself. */
function capOf({ ratio, absolute, quantile }: Claim): number {
  return Math.min(1, CAP_LIMITS * (ratio * (1 - quantile) + absolute));
}

function proofOf(
  read: Measurements<SlowCounts> | undefined,
  evidence: Evidence,
  claim: Claim,
): Proof {
  const units = linearProof(liveShares('slowRequests', evidence) ?? [], claim);
  if (read === undefined) return missing('the blocks are not whole counts');
  if (units.kind === 'missing') return units;
  if (read.counts.length < MEASUREMENTS_MIN) return missing(tooFew(read));
  const [requests, slow, others, slowOthers] = sumsOf(read.counts);
  const limit = claim.ratio * (slowOthers / others) + claim.absolute;
  // Over time and over units: a stall is many units at one time, a unit with large requests is one at many times.
  const logHarm = Math.min(logHarmOf(read.counts, claim), units.logHarm);
  const capped = valuesOf(read.counts, claim, capOf(claim));
  const logSafe = Math.min(logSafeOfBlocks(capped), logEvidence(units.safe ?? []));
  return {
    kind: 'evidence',
    logHarm,
    safe: [{ logWeight: 0, logWealth: logSafe }],
    held: lastText(read.counts, claim) ?? heldText(read.counts, { slow, requests, limit }),
  };
}

/** What each measurement says, shares above the cap counted as the cap. */
function valuesOf(
  counts: readonly SlowCounts[],
  { ratio, absolute }: Claim,
  cap: number,
): BlockValues {
  const values = counts.map(
    ([requests, slow, others, slowOthers]) =>
      Math.min(cap, slow / requests) - ratio * Math.min(cap, slowOthers / others) - absolute,
  );
  return { values, lower: -ratio * cap - absolute, upper: cap - absolute, parts: BET_PARTS };
}

function logHarmOf(counts: readonly SlowCounts[], claim: Claim): number {
  const excessFrom = excessesOf(counts, claim);
  const anyStart = {
    least: MEASUREMENTS_MIN,
    // What the cap hides counts here: harm is not believed of a candidate whose plain share is within the limit.
    isBeyond: (from: number) => (excessFrom[from] ?? 0) > 0,
  };
  const logOf = (cap: number): number =>
    logHarmFromAnyStart(valuesOf(counts, claim, cap), anyStart);
  return logEvidence([
    { logWeight: Math.log(1 - PART_UNCAPPED), logWealth: logOf(capOf(claim)) },
    { logWeight: Math.log(PART_UNCAPPED), logWealth: logOf(1) },
  ]);
}

/** By how much the candidate's plain share is beyond the claim from each measurement on, to the newest. */
function excessesOf(counts: readonly SlowCounts[], claim: Claim): readonly number[] {
  let sums = NOTHING;
  const excesses: number[] = [];
  for (let from = counts.length - 1; from >= 0; from -= 1) {
    sums = added(sums, counts[from] ?? NOTHING);
    excesses[from] = excessOf(sums, claim);
  }
  return excesses;
}

/** Above 0: beyond the claim. */
function excessOf(
  [requests, slow, others, slowOthers]: SlowCounts,
  { ratio, absolute }: Claim,
): number {
  return slow / requests - ratio * (slowOthers / others) - absolute;
}

/** Measurements that must not speak against a candidate by themselves: a proof may be of the time before it became slow. */
const LAST = 12;

function lastText(counts: readonly SlowCounts[], claim: Claim): string | undefined {
  const last = counts.slice(-LAST);
  const sums = sumsOf(last);
  if (!(excessOf(sums, claim) > 0)) return undefined;
  const [requests, slow, others, slowOthers] = sums;
  const shares = [slow / requests, slowOthers / others].map((share) => `${brief(share * 100)} %`);
  return `in the last ${LAST} blocks ${shares[0]} of the candidate's requests were slow and ${shares[1]} of the reference's, beyond the limit`;
}

function tooFew(read: Measurements<SlowCounts>): string {
  if (read.counts.length > 0 || read.eachMs !== undefined)
    return tooFewText(read, MEASUREMENTS_MIN);
  return 'no live requests of both arms at equal shares since a threshold was known: use control: true, or 50 %';
}

/**
 * Why the candidate is not yet believed to be no worse: the cap hides how long a stall lasts, and a few stalls may by chance not
 * have come yet. So its plain share must be within the limit even if its worst measurement had come so many times more.
 */
function heldText(
  counts: readonly SlowCounts[],
  seen: { readonly slow: number; readonly requests: number; readonly limit: number },
): string | undefined {
  const worst = counts.reduce((most, [, slow]) => Math.max(most, slow), 0);
  const expected = (seen.slow + WORST_AGAIN * worst) / seen.requests;
  if (expected <= seen.limit) return undefined;
  const [found, allowed] = [expected, seen.limit].map((share) => `${brief(share * 100)} %`);
  return `${found} of the candidate's requests would be slow if its worst block came ${WORST_AGAIN} times more, at most ${allowed} expected`;
}

const WORST_AGAIN = 2;

function sumsOf(counts: readonly SlowCounts[]): SlowCounts {
  return counts.reduce(added, NOTHING);
}

function added(sum: SlowCounts, [a, b, c, d]: SlowCounts): SlowCounts {
  return [sum[0] + a, sum[1] + b, sum[2] + c, sum[3] + d];
}
