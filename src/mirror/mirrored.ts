import type { InferRequest } from '../core/infer.ts';
import type { Observation, Outcome } from '../core/outcome.ts';

/** What candidate and twin said in one run of the lane; requests that shared the run have its number in common. */
export type LaneRun = {
  readonly candidate: Observation;
  readonly twin: Observation | undefined;
  readonly laneRun: number;
};

/** The part of the shadow lane that the mirror needs. */
export type MirrorLane = {
  /**
   * Runs the request on the candidate, and where `twin` is set on stable's copy too, back to back. Must settle, by the request's
   * deadline or soon after. Rejects with a ServeError: `host_lost`
   * where the process died with the request in it, `deadline_exceeded`, or whatever kept it from being run.
   */
  readonly run: (
    request: InferRequest,
    plan: { readonly twin: boolean; readonly candidateFirst: boolean },
  ) => Promise<LaneRun>;
  /** Bytes that it holds and has not begun on, whether anybody still waits for them or not. */
  readonly backlogBytes: () => number;
};

/** A request that was drawn, on its way from the live outcome to the pair. */
export type Mirrored = {
  readonly request: InferRequest;
  /** Tensor bytes of the request. */
  readonly bytes: number;
  /** Live requests in flight at the flip. */
  readonly load: number;
  readonly twin: boolean;
  readonly candidateFirst: boolean;
};

/** What became of a mirrored request, its load aside. */
export type Fate =
  | { readonly kind: 'dropped'; readonly reason: DropReason }
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'paired' };

export type DropReason =
  /** As many requests as may wait are waiting, or copies hold as many bytes as they may. */
  | 'queueFull'
  | 'bytesFull'
  /** The live path is too busy for company. */
  | 'brownout'
  /** It waited until its deadline without a turn in the lane. */
  | 'expired'
  /**
   * The live path gave no answer for a reason that is not the model's (overload, deadline, not ready), so there is nothing
   * like for like to compare with. To call it a failure of stable would credit the candidate with every burst of load.
   */
  | 'liveUnanswered'
  | 'shuttingDown';

/** The stable side of a pair, or why there is none. */
export type LiveSide =
  | { readonly kind: 'observed'; readonly observation: Observation }
  | { readonly kind: 'unanswered' };

const MODEL_FAILURES: ReadonlySet<string> = new Set(['runtime_failed', 'host_lost', 'internal']);

export function liveSideOf(outcome: Outcome): LiveSide {
  if (outcome.kind === 'answer') {
    const { outputs, timing } = outcome.response;
    return {
      kind: 'observed',
      observation: { kind: 'answer', outputs, computeMs: timing.computeMs },
    };
  }
  const { code, message } = outcome;
  if (!MODEL_FAILURES.has(code)) return { kind: 'unanswered' };
  return { kind: 'observed', observation: { kind: 'failure', code, message } };
}
