import type { Step } from '../../core/rollout.ts';
import type { MetricName } from '../../core/verdict.ts';
import { expectedGrowth, logNeeded, samplesUntil } from '../../decide/expected-growth.ts';
import { type MetricPlan, metricLabel, metricPlans } from '../../decide/metric-plans.ts';
import { lossOf, type Truth } from '../../decide/truth.ts';
import { NO_SHARES, type Shares, sampleRate, sharesAfter, type WalkOptions } from './walk.ts';

/** The least harm that a metric is expected to find within `maxDuration`. */
export type SmallestEffect = {
  /** As `metricLabel` writes it. */
  readonly metric: string;
  /** What of the candidate's requests or pairs would have to be bad; undefined: nothing is found in that time. */
  readonly rate: number | undefined;
  /** The same of the reference, where the metric compares the two; 0 where it counts differences. */
  readonly reference: number;
};

/**
 * For each metric, the least rate at which a candidate is expected to be proven worse with the traffic of the whole `maxDuration`, at
 * the largest share of it that the steps give: the minimum detectable effect. Empty where the rate is not known.
 */
export function smallestEffects(known: WalkOptions): readonly SmallestEffect[] {
  const { spec, requestsPerSecond } = known;
  if (requestsPerSecond === undefined) return [];
  const requests = (requestsPerSecond * spec.maxDurationMs) / 1000;
  return metricPlans(spec).map(({ key, weight }) => {
    const { shares, samples } = mostSamples(key, known, requests);
    const found = (rate: number): boolean => {
      const { weight: share, reference } = shares;
      const odds = share === 0 ? 0 : share / (share + reference);
      const truth = truthAt(known.truth, key.metric, rate);
      const growth = expectedGrowth({ metric: key.metric, side: 'harm', spec, truth, odds });
      const needed = logNeeded('harm', spec, weight);
      return growth !== undefined && samplesUntil(undefined, growth, needed) <= samples;
    };
    return {
      metric: metricLabel(key),
      rate: leastFound(found),
      reference: referenceOf(known.truth, key.metric),
    };
  });
}

/**
 * Where `superior` is claimed: the least by which the candidate must be wrong less often to be expected to be proven better with the
 * labels of the whole `maxDuration`. Undefined where none is, or the rate is not known.
 */
export function leastImprovement(known: WalkOptions, discordantRate: number): number | undefined {
  const { spec, requestsPerSecond } = known;
  if (spec.claim !== 'superior' || requestsPerSecond === undefined) return undefined;
  const requests = (requestsPerSecond * spec.maxDurationMs) / 1000;
  const { samples } = mostSamples({ metric: 'labelledLoss', slice: undefined }, known, requests);
  return leastFound((improvement) => {
    const truth = { ...known.truth, loss: lossOf(discordantRate, improvement) };
    const asked = { metric: 'labelledLoss', side: 'safe', spec, truth, odds: 0 } as const;
    const growth = expectedGrowth(asked);
    return (
      growth !== undefined && samplesUntil(undefined, growth, logNeeded('safe', spec, 1)) <= samples
    );
  });
}

/** The shares at which the most samples of a metric come, and how many. */
function mostSamples(
  key: MetricPlan['key'],
  known: WalkOptions,
  requests: number,
): { readonly shares: Shares; readonly samples: number } {
  const samplesAt = (shares: Shares): number => requests * sampleRate(key, { ...known, shares });
  const shares = sharesOf(known.spec.steps).reduce((best, each) =>
    samplesAt(each) > samplesAt(best) ? each : best,
  );
  return { shares, samples: samplesAt(shares) };
}

/** The traffic's shares at each step. */
function sharesOf(steps: readonly Step[]): readonly Shares[] {
  const all: Shares[] = [NO_SHARES];
  for (const step of steps) all.push(sharesAfter(step, all.at(-1) ?? NO_SHARES));
  return all;
}

function leastFound(found: (rate: number) => boolean): number | undefined {
  let [low, high] = [0, 1];
  if (!found(high)) return undefined;
  for (let round = 0; round < HALVINGS; round += 1) {
    const middle = (low + high) / 2;
    if (found(middle)) high = middle;
    else low = middle;
  }
  return high;
}

const HALVINGS = 20;

/** The truth with one metric's rate of the candidate replaced. */
function truthAt(truth: Truth, metric: MetricName, rate: number): Truth {
  switch (metric) {
    case 'disagreement':
      return { ...truth, disagreement: { ...truth.disagreement, candidate: rate } };
    case 'pairedErrors':
    case 'errors':
      return { ...truth, errors: { ...truth.errors, candidate: rate } };
    case 'labelledLoss':
      return { ...truth, loss: { ...truth.loss, lost: Math.min(rate, 1 - truth.loss.won) } };
    case 'anchorLoss': {
      const { won } = truth.anchorLoss;
      return { ...truth, anchorLoss: { lost: Math.min(rate, 1 - won), won } };
    }
    case 'slowRequests':
      return { ...truth, slow: { ...truth.slow, candidate: rate } };
    case 'pairedLatency':
      return { ...truth, slower: rate };
    case 'liveLoss':
      return { ...truth, loss: { ...truth.loss, lost: rate - truth.wrong + truth.loss.won } };
  }
}

function referenceOf(truth: Truth, metric: MetricName): number {
  switch (metric) {
    case 'disagreement':
      return truth.disagreement.reference;
    case 'pairedErrors':
    case 'errors':
      return truth.errors.reference;
    case 'labelledLoss':
      return truth.loss.won;
    case 'anchorLoss':
      return truth.anchorLoss.won;
    case 'slowRequests':
      return truth.slow.reference;
    case 'liveLoss':
      return truth.wrong;
    case 'pairedLatency':
      return 0;
  }
}
