import type { InferRequest } from '../core/infer.ts';
import type { Observation, Outcome } from '../core/outcome.ts';

/** The answers of candidate and twin in one run of the shadow host; requests that shared the run have one `shadowRun`. */
export type ShadowRun = {
  readonly candidate: Observation;
  readonly twin: Observation | undefined;
  readonly shadowRun: number;
};

/** The part of a shadow host that the mirror needs. */
export type ShadowHost = {
  /**
   * Runs the request on the candidate, and where `twin` is set on stable's copy too, back to back. Must settle, by the request's
   * deadline or soon after. Rejects with a ServeError: `host_lost`
   * where the process exited with the request in flight, `deadline_exceeded`, or the code of what kept it from being run; with a
   * StuckRunError where its run hung, whose source is 0 for the candidate and 1 for the twin.
   */
  readonly run: (
    request: InferRequest,
    plan: { readonly twin: boolean; readonly candidateFirst: boolean },
  ) => Promise<ShadowRun>;
  /**
   * What answers copies beside the candidate and is no part of it: settles by the request's deadline and never rejects. Undefined as
   * an answer: it was not asked, or had no room. Absent: nothing does.
   */
  readonly anchor?:
    | { readonly answer: (request: InferRequest) => Promise<Observation | undefined> }
    | undefined;
  /** Bytes of requests that it has not begun, abandoned ones included. */
  readonly backlogBytes: () => number;
};

/** A request that was drawn, on its way from the live outcome to the pair. */
export type Mirrored = {
  readonly request: InferRequest;
  /** Tensor bytes of the request. */
  readonly bytes: number;
  /** Live requests in flight at the flip. */
  readonly load: number;
  /** When it was drawn: milliseconds of the monotonic clock. */
  readonly drawnMs: number;
  readonly twin: boolean;
  readonly candidateFirst: boolean;
  /** The request was drawn to the control. */
  readonly byControl: boolean;
  /** The anchor is asked too. */
  readonly anchor?: boolean;
  /** True for a request of the gateway's own, which tells whether the mirror works and counts in no evidence. */
  readonly isCheck?: boolean;
};

/** The outcome of a mirrored request, without its load. */
export type MirrorOutcome =
  | { readonly kind: 'dropped'; readonly reason: DropReason }
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'paired' };

export type DropReason =
  /** As many requests as may wait are waiting, or copies hold as many bytes as they may. */
  | 'queueFull'
  | 'bytesFull'
  /** The live path is too busy for mirroring. */
  | 'brownout'
  /** It waited until its deadline without a run in the shadow host. */
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
    const { outputs, nonFinite, timing } = outcome.response;
    return {
      kind: 'observed',
      observation: { kind: 'answer', outputs, computeMs: timing.computeMs, nonFinite },
    };
  }
  const { code, message, failureKind } = outcome;
  if (!MODEL_FAILURES.has(code)) return { kind: 'unanswered' };
  return { kind: 'observed', observation: { kind: 'failure', code, message, failureKind } };
}
