/** Traces of requests, as the protocols see them: a port, so that no protocol knows what records them. */
import type { ServeErrorCode } from './errors.ts';
import type { InferResponse } from './infer.ts';

/** One call for inference, as its protocol received it. */
export type TracedCall = {
  readonly wire: 'http' | 'grpc';
  /** HTTP: the pattern of the path, such as `/v2/models/:model/infer`; gRPC: the whole name of the method. */
  readonly operation: string;
  /** The path as it came; undefined over gRPC. */
  readonly path: string | undefined;
  readonly model: string;
  /** Our id of the request. */
  readonly id: string;
  /** The caller's id of it, from `x-request-id`; undefined: none came. */
  readonly callerId: string | undefined;
  /** The caller's span, valid, and what came with it. */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly baggage: string | undefined;
  /** When it came: milliseconds of the monotonic clock. */
  readonly startedMs: number;
};

/** How a call ended on its wire. */
export type CallEnd = {
  /** The status of HTTP, or of gRPC. */
  readonly status: number;
  /** Undefined for an answer. */
  readonly code: ServeErrorCode | undefined;
  /** Whether the server is to blame, as the conventions of the wire have it. */
  readonly isFault: boolean;
};

/** A call that is being traced. Its methods never throw. */
export type RequestTrace = {
  /** Our span, as W3C Trace Context writes it: what the request carries from here on. */
  readonly traceparent: string;
  /** The request has been read, and goes to the gateway. */
  readonly decoded: () => void;
  /** The gateway has answered. */
  readonly answered: (response: InferResponse) => void;
  /** The answer has been encoded, or the call has failed. Each call after the first does nothing. */
  readonly end: (end: CallEnd) => void;
};

export type RequestTraces = {
  /** Whether to trace a call: asked first, so that a call that is not traced costs nothing else. */
  readonly samples: (traceparent: string | undefined) => boolean;
  readonly begin: (call: TracedCall) => RequestTrace;
};
