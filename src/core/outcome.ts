import type { ServeErrorCode } from './errors.ts';
import type { FailureKind, ObservedFailure } from './failure-kind.ts';
import type { InferRequest, InferResponse } from './infer.ts';
import type { Assignment } from './route.ts';
import type { Tensor } from './tensor.ts';

/** How one live request ended. */
export type Outcome =
  | {
      readonly kind: 'answer';
      readonly response: InferResponse;
      readonly startedMs: number;
      readonly endedMs: number;
      /** Stable, compared with an arm on trial, took longer than that arm may: when the arm would have been given up. */
      readonly armEndedMs?: number | undefined;
    }
  | {
      readonly kind: 'failure';
      readonly code: ServeErrorCode;
      readonly message: string;
      readonly startedMs: number;
      readonly endedMs: number;
      /** In which way it failed, where the code does not say. */
      readonly failureKind?: FailureKind | undefined;
      /** The arm no longer answers, and was not asked: what fails until this moment is one event. */
      readonly pausedUntilMs?: number | undefined;
    };

/** A request that candidate or control failed, and that the gateway sent to stable instead. */
export type Fallback = {
  readonly model: string;
  /** Where the request was assigned, and failed. */
  readonly failed: Assignment;
  readonly code: ServeErrorCode;
  /** Stable's answer; undefined: stable failed, too. */
  readonly answer: InferResponse | undefined;
  /** Milliseconds since the request was admitted. */
  readonly totalMs: number;
};

/**
 * Watches live requests. Called when a request has been assigned and before it runs, so nothing that depends on the outcome
 * can choose what is watched; the function it returns, if any, is called once with the outcome. A tap must neither block nor
 * keep the request waiting; what it throws is reported and never reaches the caller.
 */
export type Tap = (
  request: InferRequest,
  assignment: Assignment,
) => ((outcome: Outcome) => void) | undefined;

/**
 * Codes that are the caller's doing or the caller's absence. They say nothing about a version and never count as its errors.
 */
export const CALLER_CODES: ReadonlySet<ServeErrorCode> = new Set([
  'invalid_input',
  'too_large',
  'model_not_found',
  'version_not_found',
  'unsupported',
  'cancelled',
  'forbidden',
  'unauthenticated',
  'rate_limited',
]);

/** One version's answer to one request, reduced to what is compared. */
export type Observation =
  | {
      readonly kind: 'answer';
      readonly outputs: readonly Tensor[];
      readonly computeMs: number;
      /** Outputs in which a NaN or an infinity was found, where the request asked for a scan. */
      readonly nonFinite?: readonly string[] | undefined;
    }
  | (ObservedFailure & { readonly kind: 'failure'; readonly message: string });

/**
 * The same request answered by the live stable version and by the candidate, and where `twin` is set by stable's copy in the
 * shadow host too, back to back with the candidate on the same bytes.
 */
export type Pair = {
  readonly requestId: string;
  readonly unit: string;
  /** A hash of the inputs' bytes, where the unit is the request itself. */
  readonly content?: string | undefined;
  /** When the mirror drew the request: milliseconds of the monotonic clock. */
  readonly drawnMs?: number | undefined;
  /** When the live answer was there: milliseconds of the same clock. */
  readonly answeredMs?: number | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** What was asked, for examples that are kept whole; absent: it is not at hand. */
  readonly inputs?: readonly Tensor[] | undefined;
  /** The live answer came from the control, not from stable itself; absent: it did not. */
  readonly byControl?: boolean | undefined;
  readonly stable: Observation;
  readonly candidate: Observation;
  readonly twin: Observation | undefined;
  /** What the anchor answered, where it was asked. */
  readonly anchor?: Observation | undefined;
  /** The shadow host's run that the request was part of, if it was run. Pairs of one run were timed together: one measurement. */
  readonly shadowRun: number | undefined;
  /** How long the live caller would have waited for an answer, in milliseconds; undefined: it is not known. */
  readonly budgetMs?: number | undefined;
  /** The pair was there after the mirror's deadline: the shadow host was slow, for any reason. */
  readonly isLate?: boolean | undefined;
};
