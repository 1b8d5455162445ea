import type { RolloutSpec, Step } from '../core/rollout.ts';
import { METRIC_PHASE, type MetricName } from '../core/verdict.ts';
import { type MetricPlan, metricLabel, metricPlans } from '../decide/metric-plans.ts';
import { stepTask } from './describe.ts';
import {
  failuresToReject,
  PLAN_ASSUMPTIONS,
  type PlanAssumptions,
  samplesToProve,
} from './plan-samples.ts';

export type PlanStep = {
  /** From 1. */
  readonly number: number;
  readonly task: string;
  /** Requests of the model's whole traffic while the step lasts; undefined: it does not end by itself. */
  readonly requests: number | undefined;
  /** Undefined as well where the rate is not known. */
  readonly hours: number | undefined;
  /** What takes the longest, where that is a metric. */
  readonly slowest: string | undefined;
};

export type Plan = {
  /** The rate that the hours are for; undefined: it is not known, and neither are they. */
  readonly requestsPerSecond: number | undefined;
  readonly steps: readonly PlanStep[];
  /** Of all steps; undefined if one does not end by itself. */
  readonly requests: number | undefined;
  readonly hours: number | undefined;
  /** True if the expected time is longer than the rollout may take, or has no end. */
  readonly isTooLong: boolean;
  /** Requests answered with a failure before a candidate that always fails is rolled back. In shadow: no client sees any. */
  readonly failuresSeen: number;
};

/** What a plan is made of: all of a specification but for what is drawn when it begins. */
export type PlannedSpec = Omit<RolloutSpec, 'salt'>;

export type PlanOptions = {
  /** Of the model's traffic, mean; undefined: not known. */
  readonly requestsPerSecond: number | undefined;
  readonly assumptions?: Partial<PlanAssumptions>;
  /** How long a decision may wait for its tick. */
  readonly tickMs?: number;
};

/** How the traffic is shared at a step of the plan, as ratios of all requests. */
type Shares = { readonly mirror: number; readonly weight: number; readonly reference: number };

/** What was seen so far: pairs in the shadow host, requests of the candidate's arm. */
type Collected = { readonly pairs: number; readonly answered: number };

/**
 * What a rollout will cost at this rate, before it starts: requests and hours step by step, and how many requests would meet a
 * failure if the candidate were broken. Walks through the steps once; evidence of earlier steps counts for later ones, as it
 * does in the trial. An expectation, not a promise: sample sizes are those of `plan-samples.ts`.
 */
export function planOf(spec: PlannedSpec, options: PlanOptions): Plan {
  const { requestsPerSecond } = options;
  const assumptions = { ...PLAN_ASSUMPTIONS, ...options.assumptions };
  const plans = metricPlans(spec);
  let shares: Shares = { mirror: 0, weight: 0, reference: 0 };
  let collected: Collected = { pairs: 0, answered: 0 };
  const steps: PlanStep[] = [];
  for (const [index, step] of spec.steps.entries()) {
    shares = sharesAfter(step, shares);
    const context = { spec, plans, shares, collected, assumptions };
    const { requests, slowest } = needOf(step, context, requestsPerSecond);
    steps.push({
      number: index + 1,
      task: stepTask(step),
      requests: requests === undefined ? undefined : Math.ceil(requests),
      hours: hoursOf(step, requests, requestsPerSecond),
      slowest,
    });
    collected = {
      pairs: collected.pairs + (requests ?? 0) * shares.mirror,
      answered: collected.answered + (requests ?? 0) * shares.weight,
    };
  }
  const hours = total(steps.map((step) => step.hours));
  const requests = total(steps.map((step) => step.requests));
  return {
    requestsPerSecond,
    steps,
    requests,
    hours,
    isTooLong: requests === undefined || (hours ?? 0) * 3_600_000 > spec.maxDurationMs,
    failuresSeen: failuresSeen(spec, plans, options),
  };
}

function hoursOf(
  step: Step,
  requests: number | undefined,
  requestsPerSecond: number | undefined,
): number | undefined {
  if (requests === undefined) return undefined;
  if (step.kind === 'pause') return (step.durationMs ?? 0) / 3_600_000;
  if (requests === 0) return 0;
  return requestsPerSecond === undefined ? undefined : requests / requestsPerSecond / 3600;
}

function sharesAfter(step: Step, shares: Shares): Shares {
  if (step.kind === 'setMirror') return { ...shares, mirror: step.percentage / 100 };
  if (step.kind !== 'setWeight') return shares;
  const weight = step.percent / 100;
  return { ...shares, weight, reference: step.control ? Math.min(weight, 1 - weight) : 1 - weight };
}

type PlanContext = {
  readonly spec: PlannedSpec;
  readonly plans: readonly MetricPlan[];
  readonly shares: Shares;
  readonly collected: Collected;
  readonly assumptions: PlanAssumptions;
};

type Need = { readonly requests: number | undefined; readonly slowest: string | undefined };

function needOf(step: Step, context: PlanContext, requestsPerSecond: number | undefined): Need {
  switch (step.kind) {
    case 'setWeight': {
      const requests = step.percent === 0 ? 0 : (100 * context.spec.minRequests) / step.percent;
      return { requests, slowest: undefined };
    }
    case 'analysis':
      return needOfAnalysis(step.require, context);
    case 'pause': {
      if (step.durationMs === undefined) return { requests: undefined, slowest: undefined };
      // Where the rate is not known a pause is taken to bring nothing.
      const requests = (step.durationMs / 1000) * (requestsPerSecond ?? 0);
      return { requests, slowest: undefined };
    }
    default:
      return { requests: 0, slowest: undefined };
  }
}

function needOfAnalysis(require: readonly MetricName[], context: PlanContext): Need {
  let slowest: { label: string; requests: number } | undefined;
  for (const plan of context.plans.filter(({ key }) => require.includes(key.metric))) {
    const requests = trafficFor(plan, context);
    const label = metricLabel(plan.key);
    if (!Number.isFinite(requests)) return { requests: undefined, slowest: label };
    if (slowest === undefined || requests > slowest.requests) slowest = { label, requests };
  }
  return { requests: slowest?.requests, slowest: slowest?.label };
}

/** Requests of the whole traffic until a metric is proven, less what earlier steps have brought; Infinity: never. */
function trafficFor({ key }: MetricPlan, context: PlanContext): number {
  const { spec, shares, collected, assumptions } = context;
  const needed = samplesToProve(key.metric, { spec, assumptions, shares });
  const isLive = METRIC_PHASE[key.metric] === 'canary';
  const labelled = key.metric === 'labelledLoss' ? assumptions.labelledRatio : 1;
  const sliced = key.slice === undefined ? 1 : assumptions.sliceRatio;
  const part = labelled * sliced;
  const missing = needed - part * (isLive ? collected.answered : collected.pairs);
  if (missing <= 0) return 0;
  return missing / (part * (isLive ? shares.weight : shares.mirror));
}

function failuresSeen(
  spec: PlannedSpec,
  plans: readonly MetricPlan[],
  { requestsPerSecond = 0, tickMs = 1000 }: PlanOptions,
): number {
  const step = spec.steps.find((it) => it.kind === 'setWeight' && it.percent > 0);
  if (step === undefined) return 0;
  const shares = sharesAfter(step, { mirror: 0, weight: 0, reference: 0 });
  const duringTick = (requestsPerSecond * shares.weight * tickMs) / 1000;
  const share = plans.find(({ key }) => key.metric === 'errors')?.weight;
  // No metric looks at failures: the step lasts its whole minRequests.
  if (share === undefined) return spec.minRequests;
  return Math.ceil(failuresToReject(spec, share, shares) + duringTick);
}

function total(parts: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const part of parts) {
    if (part === undefined) return undefined;
    sum += part;
  }
  return sum;
}
