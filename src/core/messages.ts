/**
 * What the two sides of a gateway say to each other, and all that they share while requests run. The serving side (protocols,
 * gateway, taps, mirror) reports what became of requests; the deciding side (windows, capture, controller, ledger, admin)
 * orders. Both are in one process at present and call each other directly; several serving processes can report to one decider,
 * since each message is plain data that can be cloned, names requests by ids that are unique over processes, and leaves what
 * needs all observations of an arm in one place (bursts, slow thresholds, the order of assignment) to the decider.
 *
 * Moments are milliseconds of the machine's monotonic clock.
 */
import type { ServeErrorCode } from './errors.ts';
import type { FailureKind } from './failure-kind.ts';
import type { Pair } from './outcome.ts';
import type { BreakerTrip } from './rollout.ts';
import type { Exposure, Route } from './route.ts';
import type { Tensor } from './tensor.ts';
import type { ModelVersion } from './version.ts';

/** From the serving side to the deciding side: what a rollout's evidence comes from. */
export type RolloutReport =
  | AssignedReport
  | EndedReport
  /** A live request came with an id of its caller's, under which it may be labelled. Sent before all else about the request. */
  | {
      readonly kind: 'named';
      readonly model: string;
      readonly requestId: string;
      readonly sentId: string;
      /** Undefined: authentication is off. */
      readonly caller: string | undefined;
    }
  /** The mirror's coin chose the request: a label for it may come before its pair does. */
  | { readonly kind: 'drawn'; readonly target: MirrorTarget; readonly requestId: string }
  /** No pair will come of a request that was drawn. */
  | { readonly kind: 'unpaired'; readonly target: MirrorTarget; readonly requestId: string }
  /** A drawn request has been answered by both. `load` as of a MirrorEvent. */
  | {
      readonly kind: 'paired';
      readonly target: MirrorTarget;
      readonly pair: Pair;
      readonly load: number;
    }
  /** What became of a request of a `checkMirror` order. It counts in no evidence. */
  | {
      readonly kind: 'checked';
      readonly target: MirrorTarget;
      readonly requestId: string;
      readonly outcome: CheckOutcome;
    }
  /** A time-out in the shadow host, of a request that comes to no pair. */
  | { readonly kind: 'lapsed'; readonly target: MirrorTarget; readonly lapse: Lapse }
  /** An eligible request came to no pair. */
  | { readonly kind: 'unmirrored'; readonly target: MirrorTarget; readonly event: UnmirroredEvent };

/**
 * A time-out in the shadow host. `by`: whose run took the time, known where the twin ran too; without a twin to compare with,
 * it may have been the machine. `hang`: the run never ended, and its process was killed.
 */
export type Lapse = {
  readonly by: 'candidate' | 'twin' | 'unknown';
  readonly kind: 'timeout' | 'hang';
};

/** What a live request is copied to, and for which rollout: the one that was open at the flip; undefined: none was. */
export type MirrorTarget = ModelVersion & { readonly rolloutId: string | undefined };

/** From the serving side to the deciding side: a version's process keeps ending. If it is on trial, its rollout ends. */
export type TrippedReport = {
  readonly kind: 'tripped';
  readonly target: ModelVersion;
  readonly trip: BreakerTrip;
};

/** A live request was drawn between candidate and reference. Sent in the order of assignment, before the request runs. */
export type AssignedReport = {
  readonly kind: 'assigned';
  readonly model: string;
  readonly requestId: string;
  readonly drawn: LiveDraw;
};

/** It has ended. Every assigned request ends once, in any order. */
export type EndedReport = {
  readonly kind: 'ended';
  readonly model: string;
  readonly requestId: string;
  readonly end: LiveEnd;
  /** Of an answer: labels may come for it. */
  readonly outputs?: readonly Tensor[] | undefined;
};

/** From the deciding side to the serving side. */
export type Order =
  /** Traffic of the model goes by this route from here on. */
  | { readonly kind: 'route'; readonly route: Route }
  /** No traffic is routed to the model any more. */
  | { readonly kind: 'noRoute'; readonly model: string }
  /** A rollout of the model takes reports and labels from here on, or no longer does. */
  | {
      readonly kind: 'rollout';
      readonly model: string;
      readonly rolloutId: string;
      readonly isOpen: boolean;
    }
  /** Send a known request through the mirror of the model, and report what became of it. */
  | { readonly kind: 'checkMirror'; readonly model: string; readonly requestId: string };

/** `arrived`: it came out as a pair. `notMirrored`: the route mirrors nothing. Else why it was dropped, `timedOut` or `failed`. */
export type CheckOutcome = 'arrived' | 'notMirrored' | 'timedOut' | 'failed' | `dropped: ${string}`;

/** Where a live request was drawn to. */
export type LiveDraw = {
  /** What comes again: a person, a sequence. Undefined: the request is a unit of its own. */
  readonly unit: string | undefined;
  readonly side: 'candidate' | 'reference';
  readonly exposure: Exposure;
  /** Of the request, which say which slices it is in; absent: it has none. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
};

/** How it ended. */
export type LiveEnd = {
  readonly startedMs: number;
  readonly endedMs: number;
  /** Undefined for an answer. */
  readonly failure: ServeErrorCode | undefined;
  /** In which way it failed, where the code does not say. */
  readonly failureKind?: FailureKind | undefined;
  /** Outputs of the answer in which a NaN or an infinity was found. */
  readonly nonFinite?: readonly string[] | undefined;
  /** Until when its event lasts, where that is after its end: an arm that stopped answering is not asked for every request. */
  readonly coversUntilMs?: number | undefined;
  /** A hash of its inputs' bytes, of a request without a unit that comes again. */
  readonly content?: string | undefined;
};

/** One live request that was drawn between candidate and reference, whole. */
export type LiveObservation = LiveDraw &
  LiveEnd & {
    /** In which way the arm failed; undefined: it did not. An answer of NaN is a failure where that is not allowed. */
    readonly fault?: FailureKind | undefined;
  };

/**
 * What became of one eligible request of the mirror; every one of them gives exactly one event. `load`: live requests in flight
 * when the coin was flipped.
 */
export type MirrorEvent =
  | { readonly kind: 'notSampled' }
  | { readonly kind: 'dropped'; readonly reason: string; readonly load: number }
  | { readonly kind: 'timedOut'; readonly load: number }
  | { readonly kind: 'failed'; readonly load: number }
  | { readonly kind: 'compared'; readonly load: number };

/** Known on the serving side; whether a pair could be compared is known where it is compared. */
export type UnmirroredEvent = Exclude<MirrorEvent, { readonly kind: 'compared' }>;
