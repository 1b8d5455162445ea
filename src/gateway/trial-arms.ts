import type { Clock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { InferRequest, InferResponse } from '../core/infer.ts';
import type { Assignment } from '../core/route.ts';
import { LearnedP99 } from './learned-quantile.ts';
import { armBudgetMs, isFairTime, TrialArm } from './trial-arm.ts';

export type TrialArmsOptions = {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Requests that one arm on trial may hold at one time. Beyond, stable answers and the arm has failed. */
  readonly inFlightMax: number;
};

export type Visit = {
  readonly request: InferRequest;
  readonly assignment: Assignment;
  /** Runs the request in the arm's host; it must settle by the request's deadline. */
  readonly run: (request: InferRequest) => Promise<InferResponse>;
};

/** Stable's own speed and the arms of one trial: both are reset with another stable version or candidate. */
type Pace = { readonly version: string; readonly p99: LearnedP99 };

/** The arms on trial of all models, and how fast their stable versions are. */
export class TrialArms {
  readonly #options: TrialArmsOptions;
  /** By model. */
  readonly #paces = new Map<string, Pace>();
  /** By model, then by arm: the version on trial there. */
  readonly #arms = new Map<string, Map<string, { version: string; arm: TrialArm }>>();

  constructor(options: TrialArmsOptions) {
    this.#options = options;
  }

  /** Stable has answered in this time. */
  learn(model: string, version: string, tookMs: number): void {
    let pace = this.#paces.get(model);
    if (pace?.version !== version) {
      pace = { version, p99: new LearnedP99() };
      this.#paces.set(model, pace);
    }
    pace.p99.add(tookMs);
  }

  /** How long an arm on trial may take of what the caller still waits, in milliseconds. */
  budgetMs(model: string, leftMs: number): number {
    return armBudgetMs(leftMs, this.#paces.get(model)?.p99.ms);
  }

  /**
   * Runs a request in its arm, within the arm's part of the deadline.
   * @throws ServeError as the run does; `deadline_exceeded` where the arm's part is over, `overloaded` where the arm is full,
   * ArmPausedError where it no longer answers.
   */
  async visit({ request, assignment, run }: Visit): Promise<InferResponse> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const budgetMs = this.budgetMs(request.model, request.deadlineMs - startedMs);
    const arm = this.#arm(request.model, assignment);
    const place = arm.enter(budgetMs, startedMs);
    let how: 'answer' | 'timeout' | 'other' = 'other';
    try {
      const answer = await run({ ...request, deadlineMs: startedMs + budgetMs });
      how = 'answer';
      return answer;
    } catch (thrown) {
      if (this.#isTimeout(thrown, request.model, clock.monotonicMs() - startedMs)) how = 'timeout';
      throw thrown;
    } finally {
      arm.leave(place, how, clock.monotonicMs());
    }
  }

  #isTimeout(thrown: unknown, model: string, tookMs: number): boolean {
    const isLate = thrown instanceof ServeError && thrown.code === 'deadline_exceeded';
    return isLate && isFairTime(tookMs, this.#paces.get(model)?.p99.ms);
  }

  #arm(model: string, { arm: name, version }: Assignment): TrialArm {
    const arms = this.#arms.get(model) ?? new Map<string, { version: string; arm: TrialArm }>();
    this.#arms.set(model, arms);
    const known = arms.get(name);
    if (known?.version === version) return known.arm;
    const arm = new TrialArm(`${name} (${model} version ${version})`, this.#options.inFlightMax);
    arms.set(name, { version, arm });
    return arm;
  }
}
