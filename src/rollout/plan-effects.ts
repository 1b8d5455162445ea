import { hoursOf, total, type WalkOptions, walk } from './plan-walk.ts';

/** What becomes of a candidate that fails so many times as often as stable. */
export type PlanEffect = {
  /** Times stable's rate. */
  readonly times: number;
  readonly errorRate: number;
  /** The metric that is proven worse; undefined: none is, as that is within the margins, or beyond what the steps can show. */
  readonly worse: string | undefined;
  /** False: the rollout promotes it. */
  readonly isStopped: boolean;
  /** Requests of the model's whole traffic until the end; undefined: there is none by itself. */
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
    const failed = steps.map(({ requests = 0, shares }) => requests * shares.weight * errorRate);
    return {
      times,
      errorRate,
      worse,
      isStopped: worse !== undefined || requests === undefined,
      requests: requests && Math.ceil(requests),
      hours: total(steps.map((step) => hoursOf(step, known.requestsPerSecond))),
      failed: Math.ceil(total(failed) ?? 0),
    };
  });
}
