import type { Evidence } from '../core/evidence.ts';
import type { Effect, MetricDetail, ProvenMargin } from '../core/metric-detail.ts';
import { pairedErrorsClaim, type RolloutSpec, rulesOf } from '../core/rollout.ts';
import type { MetricStatus } from '../core/verdict.ts';
import { bernoulliInterval } from '../stats/bernoulli-interval.ts';
import { logEvidence } from '../stats/mixture.ts';
import type { Proof } from './judgement.ts';
import { judgesOf } from './judges.ts';
import { armTotals } from './linear-rule.ts';
import { liveLossAt } from './live-loss.ts';
import { liveShares } from './live-shares.ts';
import { pairedDifferenceProof, pairedFailureTotals } from './paired-errors.ts';
import { evidenceOfShare } from './paired-latency.ts';
import { evidenceOfSlice } from './slice-judgement.ts';

/** What a detail is asked of. The status is that of the same evidence. */
export type Measured = {
  readonly evidence: Evidence;
  readonly spec: RolloutSpec;
  readonly status: MetricStatus;
};

/** A computation that may be interrupted where it yields. */
type Search<Found> = Generator<void, Found>;

const CONFIDENCE = 0.95;

/** The sample size at which intervals of rates are sharpest. Set before the data, or they would not hold at all looks. */
const SHARPEST_AT = 2_000;

/**
 * How far a metric has come, beside its finding: what its estimate is held against, how large the difference is, and the smallest
 * margin proven so far. A pure function of the evidence, and no part of a verdict. Takes some hundred judgements, so it can be
 * interrupted after each.
 */
export function* metricDetail(asked: Measured): Search<MetricDetail> {
  const measured = { ...asked, evidence: evidenceFor(asked) };
  switch (measured.status.metric) {
    case 'disagreement':
    case 'labelledLoss':
    case 'liveLoss':
    case 'anchorLoss':
      return yield* meanDetail(measured, measured.status.metric);
    case 'pairedErrors':
      return yield* pairedDetail(measured);
    case 'pairedLatency':
      return { limit: HALF, effect: yield* slowerShare(measured) };
    case 'errors':
    case 'slowRequests':
      return yield* liveDetail(measured, measured.status.metric);
  }
}

/** Labels are kept by slice in places of their own. */
function evidenceFor({ evidence, status: { metric, slice } }: Measured): Evidence {
  const isOwn = metric === 'disagreement' || metric === 'pairedErrors' || metric === 'errors';
  return isOwn ? evidenceOfSlice(evidence, slice) : evidence;
}

/** The share of slower pairs that is still acceptable. */
const HALF = 0.5;

/** Shares at the ends leave nothing to bet on. */
const SHARE_LEAST = 0.001;

type MeanMetric = 'disagreement' | 'pairedErrors' | 'labelledLoss' | 'liveLoss' | 'anchorLoss';
type LiveMetric = 'errors' | 'slowRequests';
type ClaimMetric = LiveMetric | 'pairedErrors';

/** Halvings of a range of margins: to some millionths. */
const HALVINGS = 20;

/** All means lie between; at the ends there is nothing to test. */
const MEAN_MOST = 0.999;

function* meanDetail(measured: Measured, metric: MeanMetric): Search<MetricDetail> {
  const { spec, status, evidence } = measured;
  const own = ownMargin(spec, metric);
  // Under `improve` the margin is on top of what was measured offline, and no rate lies below 0.
  const isRate = metric === 'disagreement' && spec.intent === 'improve';
  const expected = isRate ? (spec.expectedDisagreement?.rate ?? 0) : 0;
  const least = isRate ? -expected : -MEAN_MOST;
  const most = MEAN_MOST - expected;
  const limit = status.claim === 'superior' ? 0 : expected + own;
  const key = marginOf(metric);
  const proofAt = (margin: number): Proof => proofOf(measured, { [key]: margin });
  // Its difference is measured even where labels can only reject, or are not believed.
  const measuredAt =
    metric === 'liveLoss' ? (margin: number) => liveLossAt(evidence, margin).proof : proofAt;
  const margin = yield* smallest((at) => logSafeOf(proofAt(at)) >= status.logSafeNeeded, {
    from: least,
    to: most,
  });
  return {
    limit,
    effect: yield* meanEffect(status, { proofAt: measuredAt, least, most, expected, limit }),
    proven: margin === undefined ? undefined : { margin, ofMargin: margin / own },
  };
}

function ownMargin({ margins }: RolloutSpec, metric: MeanMetric): number {
  const key = marginOf(metric);
  return key === 'pairedErrors' ? pairedErrorsClaim(margins).absolute : margins[key];
}

/** Losses share one. */
function marginOf(metric: MeanMetric): Exclude<MeanMetric, 'liveLoss' | 'anchorLoss'> {
  return metric === 'liveLoss' || metric === 'anchorLoss' ? 'labelledLoss' : metric;
}

function* pairedDetail(measured: Measured): Search<MetricDetail> {
  const { spec, evidence } = measured;
  if (rulesOf(spec) === 1) return yield* meanDetail(measured, 'pairedErrors');
  const { ratio, absolute } = pairedErrorsClaim(spec.margins);
  const { units = 1, reference = 0 } = pairedFailureTotals(evidence) ?? {};
  // What the difference of the rates must stay below, at stable's measured rate.
  const limit = ((ratio - 1) * reference) / units + absolute;
  const proofAt = (margin: number): Proof => pairedDifferenceProof(evidence, margin);
  const range = { least: -MEAN_MOST, most: MEAN_MOST, expected: 0 };
  return {
    limit,
    effect: yield* meanEffect(measured.status, { ...range, proofAt, limit }),
    proven: yield* provenClaim(measured, 'pairedErrors'),
  };
}

type Sampled = Pick<MetricStatus, 'samples' | 'estimate'>;

type MeanRange = {
  readonly proofAt: (margin: number) => Proof;
  readonly least: number;
  readonly most: number;
  readonly expected: number;
  readonly limit: number;
};

/** The effect of a mean of differences in [-1, 1], by what it proves at each margin. */
export function meanDifference(
  sampled: Sampled,
  { proofAt, limit }: Pick<MeanRange, 'proofAt' | 'limit'>,
): Search<Effect | undefined> {
  return meanEffect(sampled, { proofAt, limit, least: -MEAN_MOST, most: MEAN_MOST, expected: 0 });
}

/** The margins that neither test of the metric refutes, each test with half of what the interval may err. */
function* meanEffect({ samples, estimate }: Sampled, range: MeanRange): Search<Effect | undefined> {
  const { proofAt, least, most, expected, limit } = range;
  const floor = least === -expected ? 0 : -1;
  if (samples === 0 || estimate === undefined || proofAt(most / 2).kind === 'missing')
    return undefined;
  const logNeeded = -Math.log((1 - CONFIDENCE) / 2);
  const upper = yield* smallest((at) => logSafeOf(proofAt(at)) >= logNeeded, {
    from: least,
    to: most,
  });
  // The harm of a higher margin is harder to show, so the first that is not shown ends those that are.
  const lower = yield* smallest((at) => !(logHarmOf(proofAt(at)) >= logNeeded), {
    from: least,
    to: most,
  });
  return {
    unit: 'meanDifference',
    estimate,
    limit,
    // Where nothing is shown, the end of the range of values.
    lower: lower === undefined || lower <= least ? floor : lower + expected,
    upper: upper === undefined ? 1 : upper + expected,
    confidence: CONFIDENCE,
  };
}

/** Factors of a live claim, from a thousandth of it to a thousandfold. */
const FACTOR_MOST = 1_000;
const FACTOR_HALVINGS = 14;

function* liveDetail(measured: Measured, metric: LiveMetric): Search<MetricDetail> {
  const { spec, evidence } = measured;
  const totals = liveTotals(evidence, metric);
  return {
    limit: totals === undefined ? undefined : ratioLimit(spec, metric, totals.reference),
    effect:
      totals === undefined
        ? undefined
        : rateDifference(totals, differenceLimit(spec, metric, totals.reference)),
    proven: yield* provenClaim(measured, metric),
  };
}

/** All of the claim is scaled: at half, both the ratio and the absolute rate are half of what the rollout allows. */
function* provenClaim(measured: Measured, metric: ClaimMetric): Search<ProvenMargin | undefined> {
  const { spec, status } = measured;
  const own = metric === 'pairedErrors' ? pairedErrorsClaim(spec.margins) : spec.margins[metric];
  const scaled = (factor: number) => ({
    ratio: factor * own.ratio,
    absolute: factor * own.absolute,
  });
  const isProven = (log: number): boolean => {
    const claim = scaled(Math.exp(log));
    const proof = proofOf(measured, { [metric]: { ...own, ...claim } });
    return claim.absolute < 1 && logSafeOf(proof) >= status.logSafeNeeded;
  };
  const to = Math.log(Math.min(FACTOR_MOST, MEAN_MOST / own.absolute));
  const log = yield* smallest(isProven, { from: -Math.log(FACTOR_MOST), to }, FACTOR_HALVINGS);
  if (log === undefined) return undefined;
  const ofMargin = Math.exp(log);
  return { margin: scaled(ofMargin), ofMargin };
}

type Total = { readonly units: number; readonly bad: number };
type Totals = { readonly candidate: Total; readonly reference: Total };

function liveTotals(evidence: Evidence, metric: LiveMetric): Totals | undefined {
  const seen = liveShares(metric, evidence);
  if (seen === undefined) return undefined;
  const [candidate, reference] = [armTotals(seen, 'candidate'), armTotals(seen, 'reference')];
  return candidate.units > 0 && reference.units > 0 ? { candidate, reference } : undefined;
}

/** The greatest ratio of rates that the claim allows at the reference's measured rate; undefined where that is 0. */
function ratioLimit(
  spec: RolloutSpec,
  metric: LiveMetric,
  { bad, units }: Total,
): number | undefined {
  if (bad === 0) return undefined;
  const { ratio, absolute } = spec.margins[metric];
  const byAbsolute = absolute / (bad / units);
  return rulesOf(spec) === 1 ? Math.max(ratio, byAbsolute) : ratio + byAbsolute;
}

/** What the difference of the rates must stay below, at the reference's measured rate. */
function differenceLimit(spec: RolloutSpec, metric: LiveMetric, { bad, units }: Total): number {
  const { ratio, absolute } = spec.margins[metric];
  const [rate, allowed] = [bad / units, (ratio * bad) / units];
  return (rulesOf(spec) === 1 ? Math.max(allowed, absolute) : allowed + absolute) - rate;
}

/** An interval for each rate, each with half of what the difference may err. */
function rateDifference({ candidate, reference }: Totals, limit: number): Effect {
  const alpha = (1 - CONFIDENCE) / 2;
  const [mine, other] = [candidate, reference].map(({ bad, units }) =>
    bernoulliInterval(bad, units, { alpha, tOpt: SHARPEST_AT }),
  );
  return {
    unit: 'rateDifference',
    estimate: candidate.bad / candidate.units - reference.bad / reference.units,
    limit,
    lower: (mine?.lower ?? 0) - (other?.upper ?? 1),
    upper: (mine?.upper ?? 1) - (other?.lower ?? 0),
    confidence: CONFIDENCE,
  };
}

/**
 * The shares of slower pairs that neither test by blocks of time refutes, each with half of what the interval may err. Under rules 1,
 * whose samples are pairs, an interval of their share.
 */
function* slowerShare({ evidence, spec, status }: Measured): Search<Effect | undefined> {
  const { samples, estimate } = status;
  if (estimate === undefined || !(estimate >= 0 && estimate <= 1) || samples === 0)
    return undefined;
  const effect = { unit: 'slowerShare', estimate, limit: HALF, confidence: CONFIDENCE } as const;
  const alpha = 1 - CONFIDENCE;
  if (rulesOf(spec) === 1) {
    const ofPairs = bernoulliInterval(estimate * samples, samples, { alpha, tOpt: SHARPEST_AT });
    return { ...effect, ...ofPairs };
  }
  if (evidenceOfShare(evidence, HALF) === undefined) return undefined;
  const logNeeded = -Math.log(alpha / 2);
  const range = { from: SHARE_LEAST, to: 1 - SHARE_LEAST };
  const less = (share: number) => evidenceOfShare(evidence, share)?.logLess ?? 0;
  const more = (share: number) => evidenceOfShare(evidence, share)?.logMore ?? 0;
  const upper = yield* smallest((share) => less(share) >= logNeeded, range);
  const lower = yield* smallest((share) => !(more(share) >= logNeeded), range);
  return {
    ...effect,
    lower: lower === undefined || lower <= range.from ? 0 : lower,
    upper: upper ?? 1,
  };
}

/** The proof that the same evidence gives for other margins. */
function proofOf(
  { evidence, spec, status }: Measured,
  margins: Partial<RolloutSpec['margins']>,
): Proof {
  // What a claim of "better" asks for has no margin.
  const { claim: _, ...rest } = spec;
  const other = { ...rest, margins: { ...spec.margins, ...margins } };
  return judgesOf(spec)[status.metric](evidence, other, status.slice).proof;
}

function logSafeOf(proof: Proof): number {
  if (proof.kind === 'missing' || proof.safe === undefined || proof.held !== undefined) return 0;
  return logEvidence(proof.safe);
}

function logHarmOf(proof: Proof): number {
  return proof.kind === 'missing' ? 0 : proof.logHarm;
}

/** The smallest value from which on `holds` is true, on the side where it is; undefined: it is true nowhere. */
function* smallest(
  holds: (at: number) => boolean,
  range: { readonly from: number; readonly to: number },
  halvings = HALVINGS,
): Search<number | undefined> {
  let [low, high] = [range.from, range.to];
  if (!holds(high)) return undefined;
  if (holds(low)) return low;
  for (let round = 0; round < halvings; round += 1) {
    yield;
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
