import { HOUR_MS, hoursOf, total, type WalkOptions, type WalkStep, walk } from './walk.ts';

/** What becomes of a candidate that fails so many times as often as stable. */
export type PlanEffect = {
  /** Times stable's rate. */
  readonly times: number;
  readonly errorRate: number;
  /** The metric that is proven worse within `maxDuration`; undefined: none is. */
  readonly worse: string | undefined;
  /** False: the rollout promotes it. */
  readonly isStopped: boolean;
  /** Requests of the model's whole traffic until the end; undefined: neither is proven within `maxDuration`. */
  readonly requests: number | undefined;
  /** Until then; undefined as well where the rate is not known. */
  readonly hours: number | undefined;
  /** Live requests that the candidate has failed by then. In shadow: none. */
  readonly failed: number;
};

const TIMES = [2, 5, 10];

/** The course of rollouts whose candidate fails more often than stable, which fails at the assumed rate. */
export function planEffects(known: WalkOptions): readonly PlanEffect[] {
  const { reference } = known.truth.errors;
  return TIMES.map((times) => {
    const errorRate = Math.min(1, times * reference);
    const truth = { ...known.truth, errors: { candidate: errorRate, reference } };
    const { steps, worse } = walk({ ...known, truth });
    const requests = total(steps.map((step) => step.requests));
    const hours = total(steps.map((step) => hoursOf(step, known.requestsPerSecond)));
    const isInTime = requests !== undefined && (hours ?? 0) * HOUR_MS <= known.spec.maxDurationMs;
    return {
      times,
      errorRate,
      worse: isInTime ? worse : undefined,
      isStopped: worse !== undefined || !isInTime,
      requests: isInTime ? Math.ceil(requests) : undefined,
      hours: isInTime ? hours : undefined,
      failed: Math.ceil(answeredInTime(steps, known) * errorRate),
    };
  });
}

/** Live requests of the candidate until the end, or until `maxDuration` where that is known to come first. */
function answeredInTime(
  steps: readonly WalkStep[],
  { spec, requestsPerSecond }: WalkOptions,
): number {
  let [answered, leftMs] = [0, spec.maxDurationMs];
  for (const step of steps) {
    if (requestsPerSecond === undefined) {
      answered += (step.requests ?? 0) * step.shares.weight;
      continue;
    }
    const hours = hoursOf(step, requestsPerSecond) ?? Number.POSITIVE_INFINITY;
    const ms = Math.min(leftMs, hours * HOUR_MS);
    answered += ((requestsPerSecond * ms) / 1000) * step.shares.weight;
    leftMs -= ms;
  }
  return answered;
}
