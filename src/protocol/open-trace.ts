import { ServeError } from '../core/errors.ts';
import type { CallEnd, RequestTrace, RequestTraces } from '../core/request-trace.ts';
import { unrecorded } from '../core/traceparent.ts';
import type { HeaderOf } from './routing-key.ts';

/** The headers of W3C Trace Context and Baggage besides `traceparent`; read only of calls that are traced. */
export function traceHeadersOf(header: HeaderOf) {
  return { tracestate: header('tracestate'), baggage: header('baggage') };
}

/**
 * The `traceparent` that a request carries from here on: that of our span. Where traces are recorded and this one is not, the
 * caller's, marked so; without tracing, the caller's as it came.
 */
export function carriedTraceparent(
  traces: RequestTraces | undefined,
  trace: RequestTrace | undefined,
  parent: string | undefined,
): string | undefined {
  if (trace !== undefined) return trace.traceparent;
  return traces === undefined || parent === undefined ? parent : unrecorded(parent);
}

/** How a failed call ends, by the statuses of its wire, of which some put the blame on the server. */
export function failedCall(
  thrown: unknown,
  statusOf: (error: ServeError) => number,
  isFault: (status: number) => boolean,
): CallEnd {
  const error = ServeError.from(thrown);
  const status = statusOf(error);
  return { status, code: error.code, isFault: isFault(status) };
}
