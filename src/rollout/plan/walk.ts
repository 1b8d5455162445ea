import { type RolloutSpec, type Step, slowBlockMsOf } from '../../core/rollout.ts';
import { METRIC_PHASE, type MetricName } from '../../core/verdict.ts';
import { logStepNeeded } from '../../decide/claim-shown.ts';
import {
  type Bets,
  type Expectation,
  expectedGrowth,
  grown,
  logNeeded,
  type Side,
  samplesUntil,
} from '../../decide/expected-growth.ts';
import { informationLimit } from '../../decide/information-limit.ts';
import {
  type MetricPlan,
  metricLabel,
  metricPlans,
  withAnchorLoss,
} from '../../decide/metric-plans.ts';
import { expectedBlocks } from '../../decide/slow-requests.ts';
import { claimedMetrics, factorOf, foldAt } from '../../decide/step-claims.ts';
import type { Truth } from '../../decide/truth.ts';

/** What a plan is made of: all of a specification but for what is drawn when it begins. */
export type PlannedSpec = Omit<RolloutSpec, 'salt'>;

/** What a walk through the steps of a rollout goes by. */
export type WalkOptions = {
  readonly spec: PlannedSpec;
  readonly truth: Truth;
  /** Part of the mirrored requests whose label comes, and part of the traffic in a slice. */
  readonly labelledRatio: number;
  readonly sliceRatio: number;
  /** Undefined: not known. Then time that a step lasts at least brings no requests. */
  readonly requestsPerSecond: number | undefined;
};

export type WalkStep = {
  readonly step: Step;
  /** Requests of the model's whole traffic; undefined: it does not end by itself. */
  readonly requests: number | undefined;
  /** That no test could do with less of. */
  readonly limit: number | undefined;
  /** How long it lasts at least, milliseconds. */
  readonly leastMs: number;
  /** The metric that takes longest. */
  readonly slowest: string | undefined;
  readonly shares: Shares;
};

export type Walk = {
  readonly steps: readonly WalkStep[];
  /** The metric that is expected to end the rollout for the worse, in the last of the steps; undefined: none. */
  readonly worse: string | undefined;
};

/** How the traffic is shared at a step, as ratios of all requests; `twin` as one of the mirrored. */
export type Shares = {
  readonly mirror: number;
  readonly twin: number;
  readonly weight: number;
  readonly reference: number;
};

/** Milliseconds. */
export const HOUR_MS = 3_600_000;

export const NO_SHARES: Shares = { mirror: 0, twin: 0, weight: 0, reference: 0 };

/** What the bets on one metric have come to. */
type Gathered = { readonly safe: Bets | undefined; readonly harm: Bets | undefined };

/**
 * The expected course of a rollout for a candidate of which the truth is known: step by step until it is promoted, some metric is
 * proven worse, or a step has no end. Evidence of earlier steps counts for later ones, but for what a step has to show itself. An
 * expectation: about half of all rollouts take less.
 */
export function walk(options: WalkOptions): Walk {
  const plans = metricPlans(options.spec);
  let gathered: ReadonlyMap<string, Gathered> = new Map();
  let shares = NO_SHARES;
  let evenMs = 0;
  const steps: WalkStep[] = [];
  for (const step of options.spec.steps) {
    shares = sharesAfter(step, shares);
    const place = { ...options, plans, shares, gathered, evenMs };
    const { walked, worse } = stepOf(step, place);
    steps.push(walked);
    if (worse !== undefined || walked.requests === undefined) return { steps, worse };
    gathered = gatheredAfter(place, walked.requests);
    if (shares.weight > 0 && shares.weight === shares.reference)
      evenMs += (hoursOf(walked, options.requestsPerSecond) ?? 0) * HOUR_MS;
  }
  return { steps, worse: undefined };
}

/** One step, until it is left or a metric is proven worse. */
function stepOf(
  step: Step,
  place: Place,
): { readonly walked: WalkStep; readonly worse: string | undefined } {
  const need = needOf(step, place);
  const least = (need.leastMs * (place.requestsPerSecond ?? 0)) / 1000;
  const leave = Math.max(need.requests, least);
  const limit = finite(need.limit);
  const harm = firstHarm(place);
  const { shares } = place;
  if (harm !== undefined && harm.requests < leave) {
    const { label: slowest, requests } = harm;
    return { walked: { step, requests, limit, leastMs: 0, slowest, shares }, worse: slowest };
  }
  const slowest = need.requests < least ? undefined : need.slowest;
  const { leastMs } = need;
  const walked = { step, requests: finite(leave), limit, leastMs, slowest, shares };
  return { walked, worse: undefined };
}

function finite(count: number): number | undefined {
  return Number.isFinite(count) ? count : undefined;
}

export function sharesAfter(step: Step, shares: Shares): Shares {
  if (step.kind === 'setMirror')
    return { ...shares, mirror: step.percentage / 100, twin: step.twin / 100 };
  if (step.kind !== 'setWeight') return shares;
  const weight = step.percent / 100;
  return { ...shares, weight, reference: step.control ? Math.min(weight, 1 - weight) : 1 - weight };
}

type Place = WalkOptions & {
  readonly plans: readonly MetricPlan[];
  readonly shares: Shares;
  readonly gathered: ReadonlyMap<string, Gathered>;
  /** How long both arms have had the same share so far. */
  readonly evenMs: number;
};

type Need = {
  /** Infinity: there is no end. */
  readonly requests: number;
  readonly limit: number;
  readonly leastMs: number;
  readonly slowest: string | undefined;
};

const NOTHING: Need = { requests: 0, limit: 0, leastMs: 0, slowest: undefined };

function needOf(step: Step, place: Place): Need {
  switch (step.kind) {
    case 'setWeight':
      return needOfWeight(step, place);
    case 'analysis':
      return needOfAnalysis(step.require, place);
    case 'pause':
      return step.durationMs === undefined
        ? { ...NOTHING, requests: Number.POSITIVE_INFINITY }
        : { ...NOTHING, leastMs: step.durationMs };
    default:
      return NOTHING;
  }
}

function needOfWeight(step: Extract<Step, { kind: 'setWeight' }>, place: Place): Need {
  const { spec, shares } = place;
  if (step.percent === 0) return NOTHING;
  const fold = foldAt(step.percent);
  const claims = fold === undefined ? [] : claimedMetrics(spec, step);
  const waits = claims.map((metric) => {
    const growth = growthOf(
      { metric, side: 'safe', isStep: true },
      coarser(place, metric, fold ?? 1),
    );
    const samples = growth && samplesUntil(undefined, growth, logStepNeeded(spec));
    const rate = sampleRate({ metric, slice: undefined }, place);
    return { label: metric, requests: (samples ?? Number.POSITIVE_INFINITY) / rate };
  });
  const longest = longestOf([
    { label: undefined, requests: spec.minRequests / shares.weight },
    ...waits,
  ]);
  return { ...NOTHING, ...longest, leastMs: spec.minDurationMs ?? 0 };
}

/** The same with one metric's margin as wide as a share's claim is. */
function coarser(place: Place, metric: 'errors' | 'slowRequests', fold: number): Place {
  const { margins } = place.spec;
  const factor = factorOf(place.spec, metric, fold);
  const { ratio, absolute } = margins[metric];
  const margin = { ratio: ratio * factor, absolute: Math.min(RATE_MAX, absolute * factor) };
  const wider = { ...margins, [metric]: { ...margins[metric], ...margin } };
  return { ...place, spec: { ...place.spec, margins: wider } };
}

/** A rate that a claim names is below 1. */
const RATE_MAX = 0.99;

function needOfAnalysis(require: readonly MetricName[], place: Place): Need {
  const { plans, gathered, spec } = place;
  const names = withAnchorLoss(require, spec);
  const required = plans.filter(({ key }) => names.includes(key.metric));
  const waits = required.map(({ key, weight }) => {
    const label = metricLabel(key);
    const asked = { metric: key.metric, side: 'safe', isSlice: key.slice !== undefined } as const;
    const growth = growthOf(asked, place);
    const before = gathered.get(label)?.safe;
    const needed = logNeeded('safe', spec, weight);
    const samples = growth && samplesUntil(before, growth, needed);
    const rate = sampleRate(key, place);
    const limit = informationLimit({ ...expectationOf(place), ...asked }, weight);
    return {
      label,
      requests: samples === 0 ? 0 : (samples ?? Number.POSITIVE_INFINITY) / rate,
      limit: limit / rate,
    };
  });
  const limit = Math.max(0, ...waits.map((wait) => wait.limit));
  const need = { ...NOTHING, ...withLabels(longestOf(waits), require, place), limit };
  return { ...need, leastMs: Math.max(need.leastMs, blocksMs(require, place)) };
}

/** Slow requests are judged by blocks of time: those that are still missing take their time at any rate. */
function blocksMs(require: readonly MetricName[], { spec, truth, evenMs }: Place): number {
  if (!require.includes('slowRequests')) return 0;
  const needed = logNeeded('safe', spec, 1);
  const count = expectedBlocks(spec.margins.slowRequests, truth.slow, needed);
  return Number.isFinite(count) ? Math.max(0, count * slowBlockMsOf(spec.margins) - evenMs) : 0;
}

/** A label counts once its window has ended: the last of them comes that much later. */
function withLabels(
  longest: Pick<Need, 'requests' | 'slowest'>,
  require: readonly MetricName[],
  { spec, requestsPerSecond }: Place,
): Pick<Need, 'requests' | 'slowest' | 'leastMs'> {
  const isLabelled = require.includes('labelledLoss') || require.includes('liveLoss');
  const windowMs = isLabelled ? (spec.labels?.windowMs ?? 0) : 0;
  if (windowMs === 0 || requestsPerSecond === undefined) return { ...longest, leastMs: windowMs };
  return { ...longest, leastMs: windowMs + (1000 * longest.requests) / requestsPerSecond };
}

type Wait = { readonly label: string | undefined; readonly requests: number };

function longestOf(waits: readonly Wait[]): Pick<Need, 'requests' | 'slowest'> {
  let longest: Wait = { label: undefined, requests: 0 };
  for (const wait of waits) if (wait.requests > longest.requests) longest = wait;
  return { requests: longest.requests, slowest: longest.label };
}

/** The metric that is proven worse first, and after how many requests at these shares. */
function firstHarm(
  place: Place,
): { readonly label: string; readonly requests: number } | undefined {
  let first: { label: string; requests: number } | undefined;
  for (const { key, weight } of place.plans) {
    const label = metricLabel(key);
    const growth = growthOf({ metric: key.metric, side: 'harm' }, place);
    if (growth === undefined) continue;
    const needed = logNeeded('harm', place.spec, weight);
    const samples = samplesUntil(place.gathered.get(label)?.harm, growth, needed);
    const requests = samples / sampleRate(key, place);
    if (requests < (first?.requests ?? Number.POSITIVE_INFINITY)) first = { label, requests };
  }
  return first;
}

function gatheredAfter(place: Place, requests: number): Map<string, Gathered> {
  const after = new Map(place.gathered);
  for (const { key } of place.plans) {
    const samples = requests * sampleRate(key, place);
    const label = metricLabel(key);
    const before = place.gathered.get(label);
    const both = (side: Side): Bets | undefined => {
      const asked = { metric: key.metric, side, isSlice: key.slice !== undefined };
      const growth = growthOf(asked, place);
      if (growth === undefined || samples === 0) return before?.[side];
      return grown(before?.[side], growth, samples);
    };
    after.set(label, { safe: both('safe'), harm: both('harm') });
  }
  return after;
}

function growthOf(
  asked: Pick<Expectation, 'metric' | 'side' | 'isStep' | 'isSlice'>,
  place: Pick<Place, 'spec' | 'truth' | 'shares'>,
): Bets | undefined {
  return expectedGrowth({ ...expectationOf(place), ...asked });
}

function expectationOf({ spec, truth, shares }: Pick<Place, 'spec' | 'truth' | 'shares'>) {
  const { weight, reference } = shares;
  return { spec, truth, odds: weight === 0 ? 0 : weight / (weight + reference) };
}

/** Samples of a metric in each request of the whole traffic: pairs, or requests of the two arms. */
export function sampleRate(
  { metric, slice }: MetricPlan['key'],
  {
    spec,
    shares,
    labelledRatio,
    sliceRatio,
  }: Pick<Place, 'spec' | 'shares' | 'labelledRatio' | 'sliceRatio'>,
): number {
  const { mirror, twin, weight, reference } = shares;
  const inSlice = slice === undefined ? 1 : sliceRatio;
  // Each labelled unit of the candidate is compared with some of the reference.
  if (metric === 'liveLoss') return Math.min(weight, reference) * labelledRatio;
  if (METRIC_PHASE[metric] === 'canary') {
    return weight === reference ? (weight + reference) * inSlice : 0;
  }
  const isTwinned =
    metric === 'pairedLatency' || (metric === 'disagreement' && spec.intent === 'equivalent');
  // Where labels are drawn a pair on which nothing differs needs none.
  const isLabelled = metric === 'labelledLoss' || metric === 'anchorLoss';
  const labelled = isLabelled && spec.labels?.queue === undefined ? labelledRatio : 1;
  const anchored = metric === 'anchorLoss' ? (spec.anchorShare ?? 0) / 100 : 1;
  return mirror * (isTwinned ? twin : 1) * labelled * anchored * inSlice;
}

/** Undefined where the rate is not known and has to be. */
export function hoursOf(
  { requests, leastMs }: WalkStep,
  requestsPerSecond: number | undefined,
): number | undefined {
  if (requests === undefined) return undefined;
  if (requests === 0) return leastMs / HOUR_MS;
  if (requestsPerSecond === undefined) return undefined;
  return Math.max(leastMs / HOUR_MS, requests / requestsPerSecond / 3600);
}

/** Undefined where one part is not known. */
export function total(parts: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const part of parts) {
    if (part === undefined) return undefined;
    sum += part;
  }
  return sum;
}
