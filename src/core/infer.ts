import type { Grant, Role } from './caller.ts';
import type { CancelSignal } from './cancel-signal.ts';
import type { Tensor } from './tensor.ts';

/**
 * What a request is known by all the way from its protocol to the runtime, across every frame, and in its mirrored copy too.
 */
export type RequestContext = {
  /**
   * Ours, unique in this gateway's life: pairs, labels and feedback tokens join on it. A caller's own id is echoed by the
   * protocol, and labels may name it (`sentId`); nothing else does, since callers use one id for many requests.
   */
  readonly id: string;
  /** The caller's span, as W3C Trace Context writes it (55 characters); undefined: the request came without a valid one. */
  readonly traceparent: string | undefined;
  /** Who asks, where authentication is on. */
  readonly caller: string | undefined;
  /** The moment on this process's monotonic clock at which the deadline passes, milliseconds. Frames carry what is left. */
  readonly deadlineMs: number;
};

/** One request for inference, as every layer from the gateway to a host's queue sees it. */
export type InferRequest = RequestContext & {
  readonly model: string;
  /** The caller's own id of the request (`x-request-id`), for logs and traces; it need not be unique. */
  readonly callerId?: string | undefined;
  /** The `id` of the caller's message, of at most 256 characters, under which it may be labelled; undefined: none came. */
  readonly sentId?: string | undefined;
  /** What its caller may do; undefined: everything, since authentication is off. */
  readonly grants?: readonly Grant[] | undefined;
  /** The role that naming a version other than stable needs; by default `operate`. */
  readonly pinRole?: Role | undefined;
  /** A version or an alias that the caller insists on; undefined: the route chooses. */
  readonly version: string | undefined;
  /** What is assigned as one: the sequence id, else the sticky key, else this request's id. */
  readonly unit: string;
  /** One of several that belong together (a sequence id): no other version may answer in the place of its own. */
  readonly inSequence?: boolean;
  /**
   * What slices and rules may look at: declared attributes under their own names, headers named by a rule under
   * `header:<name>`.
   */
  readonly attributes: Readonly<Record<string, string>>;
  /** 0: the model's default level; else 1 (most urgent) and up. Who is more urgent leaves the queue first. */
  readonly priority: number;
  readonly inputs: readonly Tensor[];
  /** Whether the answer is looked through for NaN and infinities: a rollout compares it. By default it is not. */
  readonly scan?: boolean;
  /** The outputs that the caller wants, in this order; undefined: all. */
  readonly outputs: readonly string[] | undefined;
};

/**
 * What a host knows of the time that an answer took, in milliseconds. A third clock, from admission to the end, is the gateway's: the
 * `startedMs` and `endedMs` of an outcome. A metric names the clock that it reads.
 */
export type Timing = {
  /** Waiting for a replica. */
  readonly queueMs: number;
  /** The run itself, of the whole batch that the request was part of. */
  readonly computeMs: number;
};

/** The run that a request shared: requests with one id ran together. */
export type BatchInfo = { readonly id: number; readonly rows: number };

export type InferResponse = {
  readonly model: string;
  /** The version that answered. */
  readonly version: string;
  readonly outputs: readonly Tensor[];
  /** Outputs in which a NaN or an infinity was found, where the request asked for a scan. */
  readonly nonFinite?: readonly string[] | undefined;
  readonly timing: Timing;
  readonly batch: BatchInfo;
};

/**
 * The one verb. Gateway, host, remote server and fakes all have this shape, and layers wrap it. Rejects with a ServeError.
 * Aborting the signal abandons the answer: a waiting request leaves its queue immediately, a running one finishes.
 */
export type Infer = (request: InferRequest, signal: CancelSignal) => Promise<InferResponse>;
