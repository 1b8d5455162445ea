import type { AnchorSpent } from '../../core/anchor.ts';
import { type AttemptShare, attemptShare } from '../../core/attempt.ts';
import { anchorBeside } from '../../core/rollout.ts';
import { expectedGrowth, logNeeded, samplesUntil } from '../../decide/expected-growth.ts';
import { metricLabel, metricPlans } from '../../decide/metric-plans.ts';
import {
  equalTruth,
  improvementOf,
  type Truth,
  type TruthAssumptions,
} from '../../decide/truth.ts';
import { stepTask } from '../action/describe.ts';
import { type PlanEffect, planEffects } from './effects.ts';
import { type PlanHoldback, planHoldback } from './holdback.ts';
import { leastImprovement, type SmallestEffect, smallestEffects } from './smallest.ts';
import {
  HOUR_MS,
  hoursOf,
  type PlannedSpec,
  total,
  type Walk,
  type WalkOptions,
  walk,
} from './walk.ts';

export type PlanStep = {
  /** From 1. */
  readonly number: number;
  readonly task: string;
  /** Requests of the model's whole traffic while the step lasts; undefined: it does not end by itself. */
  readonly requests: number | undefined;
  /** Undefined as well where the rate is not known. */
  readonly hours: number | undefined;
  /** Requests that no test could do with less of, on average. */
  readonly limit: number | undefined;
  /** What takes the longest, where that is a metric. */
  readonly slowest: string | undefined;
};

/** A loss, as it was measured. */
type PlannedAnchor = {
  readonly version: string;
  readonly spent: AnchorSpent;
  readonly allowed: number;
};

export type Plan = {
  /** The rate that the hours are for; undefined: it is not known, and neither are they. */
  readonly requestsPerSecond: number | undefined;
  readonly steps: readonly PlanStep[];
  /** Of all steps; undefined if one does not end by itself. */
  readonly requests: number | undefined;
  readonly hours: number | undefined;
  /** What information theory asks for at least: the sum of the steps' limits. */
  readonly limit: number | undefined;
  /** Labels that have to come until labelledLoss is proven; 0: it is not required. */
  readonly labels: number | undefined;
  /** Distinct users, or other units that count once, that `errors` needs, of both arms; undefined: it is not required. */
  readonly units: number | undefined;
  /** True if the expected time is longer than the rollout may take, or has no end. */
  readonly isTooLong: boolean;
  /** Required metrics that are expected to take more samples than `maxSamples`, as `metricLabel` writes them. */
  readonly beyondMax: readonly string[];
  /** Requests answered with a failure before a candidate that always fails is rolled back. In shadow: no client sees any. */
  readonly failuresSeen: number;
  /** What becomes of candidates that fail more often than stable. */
  readonly effects: readonly PlanEffect[];
  /** The least harm of each metric that is found within `maxDuration` at this rate; empty where the rate is not known. */
  readonly smallest: readonly SmallestEffect[];
  /** Where `superior` is claimed: by how much less often the candidate is taken to be wrong, on labelled pairs. */
  readonly improvement: number | undefined;
  /** The least of that which is expected to be proven within `maxDuration` at this rate; undefined as well where none is. */
  readonly leastImprovement: number | undefined;
  /** What follows the promotion; undefined: nothing is held back. It is in no sum of the plan. */
  readonly holdback: PlanHoldback | undefined;
  /** What stable has used of the loss that is allowed since the anchor; undefined where loss adds up against none. */
  readonly anchor: PlannedAnchor | undefined;
  /** Which attempt it is, and the false promotions that it may cost; undefined where attempts are not counted. */
  readonly attempt: AttemptShare | undefined;
};

/** What the plan takes for granted. */
export type PlanAssumptions = TruthAssumptions & {
  /** Part of the mirrored requests, and of the candidate's live answers, whose label arrives. */
  readonly labelledRatio: number;
  /** Part of the traffic that falls into a declared slice. */
  readonly sliceRatio: number;
};

const PLAN_ASSUMPTIONS: PlanAssumptions = {
  labelledRatio: 1,
  sliceRatio: 0.1,
  errorRate: 0.001,
  disagreementRate: 0.02,
  discordantRate: 0.1,
  wrongRate: 0.1,
};

export type PlanOptions = {
  /** Of the model's traffic, mean; undefined: not known. */
  readonly requestsPerSecond: number | undefined;
  readonly assumptions?: Partial<PlanAssumptions>;
  /** How long a decision may wait for its tick. */
  readonly tickMs?: number;
};

/**
 * What a rollout will cost at this rate, before it starts: requests, hours and labels for a candidate that is as good as stable (or
 * better, where that is claimed), what information theory asks for at least, and what becomes of worse ones. An expectation, not a promise: it walks through the
 * steps once with evidence in exactly its expected proportions, under the tests that will judge.
 */
export function planOf(spec: PlannedSpec, options: PlanOptions): Plan {
  const { requestsPerSecond, tickMs = 1000 } = options;
  const assumptions = { ...PLAN_ASSUMPTIONS, ...options.assumptions };
  const truth = equalTruth(spec, assumptions);
  const known: WalkOptions = { spec, truth, ...assumptions, requestsPerSecond };
  const walked = walk(known);
  const steps = stepsOf(walked, spec, requestsPerSecond);
  const [requests, hours, limit] = (['requests', 'hours', 'limit'] as const).map((key) =>
    total(steps.map((step) => step[key])),
  );
  return {
    requestsPerSecond,
    steps,
    requests,
    hours,
    limit: requests === undefined ? undefined : limit,
    labels: labelsOf(walked, known),
    units: unitsOf(known),
    isTooLong: requests === undefined || (hours ?? 0) * HOUR_MS > spec.maxDurationMs,
    beyondMax: beyondMax(known),
    failuresSeen: failuresSeen(known, tickMs),
    effects: planEffects(known),
    smallest: smallestEffects(known),
    improvement: improvementOf(spec),
    leastImprovement: leastImprovement(known, assumptions.discordantRate),
    holdback: planHoldback(known),
    anchor: anchorOf(spec),
    attempt: attemptShare(spec.attempt, spec.errorBudget.falsePromotion),
  };
}

/** From the first sample on, with both arms alike where they are live; blocks of time are no samples of requests. */
function beyondMax({ spec, truth }: WalkOptions): readonly string[] {
  const { maxSamples } = spec;
  if (maxSamples === undefined) return [];
  const required = metricPlans(spec).filter(
    ({ key, role }) => role === 'gate' && key.metric !== 'slowRequests',
  );
  return required.flatMap(({ key, weight }) => {
    const isSlice = key.slice !== undefined;
    const asked = { metric: key.metric, side: 'safe', spec, truth, odds: 0.5, isSlice } as const;
    const growth = expectedGrowth(asked);
    const samples = growth && samplesUntil(undefined, growth, logNeeded('safe', spec, weight));
    return samples !== undefined && samples <= maxSamples ? [] : [metricLabel(key)];
  });
}

function anchorOf(spec: PlannedSpec): PlannedAnchor | undefined {
  const beside = anchorBeside(spec);
  if (beside === undefined || spec.anchor === undefined) return undefined;
  const { spent } = spec.anchor;
  return { version: beside.version, spent, allowed: spec.margins.labelledLoss };
}

/** All steps of the spec: those that a walk never comes to have no figures. */
function stepsOf(
  { steps }: Walk,
  spec: PlannedSpec,
  requestsPerSecond: number | undefined,
): readonly PlanStep[] {
  return spec.steps.map((step, index) => {
    const walked = steps[index];
    const requests = walked?.requests;
    return {
      number: index + 1,
      task: stepTask(step),
      requests: requests === undefined ? undefined : Math.ceil(requests),
      hours: walked && hoursOf(walked, requestsPerSecond),
      limit: walked?.limit === undefined ? undefined : Math.ceil(walked.limit),
      slowest: walked?.slowest,
    };
  });
}

/** At equal shares, where `errors` must be proven. A user who returns counts once, so as many have to come. */
function unitsOf({ spec, truth }: WalkOptions): number | undefined {
  const isRequired = spec.steps.some(
    (step) => step.kind === 'analysis' && step.require.includes('errors'),
  );
  const growth = expectedGrowth({ metric: 'errors', side: 'safe', spec, truth, odds: 0.5 });
  if (!isRequired || growth === undefined) return undefined;
  const units = samplesUntil(undefined, growth, logNeeded('safe', spec, 1));
  return Number.isFinite(units) ? Math.ceil(units) : undefined;
}

/** Those that come while the steps last that wait for them. */
function labelsOf(
  { steps }: Walk,
  { spec, truth, labelledRatio }: WalkOptions,
): number | undefined {
  const last = spec.steps.findLastIndex(
    (step) => step.kind === 'analysis' && step.require.includes('labelledLoss'),
  );
  const waiting = steps.slice(0, last + 1);
  if (waiting.length <= last) return undefined;
  const pairs = total(
    waiting.map(({ requests, shares }) =>
      requests === undefined ? undefined : requests * shares.mirror,
    ),
  );
  const queue = spec.labels?.queue;
  // Only pairs on which one of the two is right are known of; those that both get wrong in different ways come on top.
  const wanted = queue && queue.probability * (truth.loss.lost + truth.loss.won);
  return pairs === undefined ? undefined : Math.ceil(pairs * (wanted ?? labelledRatio));
}

/** A candidate that always fails, met by live traffic at once, and what fails until the next look. */
function failuresSeen(known: WalkOptions, tickMs: number): number {
  const { spec, requestsPerSecond = 0 } = known;
  const first = spec.steps.find((step) => step.kind === 'setWeight' && step.percent > 0);
  if (first?.kind !== 'setWeight') return 0;
  const truth: Truth = { ...known.truth, errors: { candidate: 1, reference: 0 } };
  const named = spec.steps.filter((step) => step.kind === 'analysis');
  const { steps } = walk({
    ...known,
    truth,
    spec: { ...spec, steps: [first, ...named] },
    requestsPerSecond: undefined,
  });
  const weight = first.percent / 100;
  // Where no metric looks at failures the step lasts its time.
  const met = (steps[0]?.requests ?? 0) * weight;
  return Math.ceil(met + (requestsPerSecond * weight * tickMs) / 1000);
}
