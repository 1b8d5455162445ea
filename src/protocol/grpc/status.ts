import { Metadata, type StatusObject, status } from '@grpc/grpc-js';

import { ServeError, type ServeErrorCode } from '../../core/errors.ts';
import type { CallEnd } from '../../core/request-trace.ts';
import { failedCall } from '../open-trace.ts';

/**
 * Every code's gRPC status. `overloaded` is UNAVAILABLE because that is what callers of inference servers try again on;
 * RESOURCE_EXHAUSTED means a message that is too large, memory that is taken, or a quota.
 */
export const GRPC_STATUS = {
  invalid_input: status.INVALID_ARGUMENT,
  too_large: status.INVALID_ARGUMENT,
  model_not_found: status.NOT_FOUND,
  version_not_found: status.NOT_FOUND,
  version_not_ready: status.UNAVAILABLE,
  overloaded: status.UNAVAILABLE,
  memory_full: status.RESOURCE_EXHAUSTED,
  deadline_exceeded: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
  unsupported: status.UNIMPLEMENTED,
  runtime_failed: status.INTERNAL,
  host_lost: status.UNAVAILABLE,
  internal: status.INTERNAL,
  load_failed: status.INVALID_ARGUMENT,
  conflict: status.FAILED_PRECONDITION,
  not_allowed: status.UNAVAILABLE,
  forbidden: status.PERMISSION_DENIED,
  origin_not_allowed: status.PERMISSION_DENIED,
  unsupported_media_type: status.INVALID_ARGUMENT,
  host_not_allowed: status.PERMISSION_DENIED,
  unauthenticated: status.UNAUTHENTICATED,
  rate_limited: status.RESOURCE_EXHAUSTED,
} as const satisfies Record<ServeErrorCode, status>;

/** What the protocol of retries calls the time after which to try again, in milliseconds. */
const PUSHBACK_KEY = 'grpc-retry-pushback-ms';

/** Our own code, for those who branch on it. */
const CODE_KEY = 'x-understudy-error';

/** The status with which a call ends that failed. Anything that is not a ServeError is `internal`. */
export function statusOf(thrown: unknown): StatusObject {
  const error = ServeError.from(thrown);
  const metadata = new Metadata();
  metadata.set(CODE_KEY, error.code);
  if (error.retryAfterMs !== undefined) {
    metadata.set(PUSHBACK_KEY, String(Math.ceil(error.retryAfterMs)));
  }
  return { code: GRPC_STATUS[error.code], details: detailsOf(error), metadata };
}

/** The end of a trace of a call that was answered. */
export const ANSWERED: CallEnd = { status: status.OK, code: undefined, isFault: false };

/** Statuses for which the conventions of traces put the blame on the server. */
const FAULTS: ReadonlySet<number> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** The end of a trace of a call that failed. */
export function failedGrpcCall(thrown: unknown): CallEnd {
  return failedCall(
    thrown,
    ({ code }) => GRPC_STATUS[code],
    (found) => FAULTS.has(found),
  );
}

/** An internal error is reported to the operator; the caller learns only that there was one. */
export function detailsOf(error: ServeError): string {
  return error.code === 'internal' ? 'internal error' : sendable(error.message);
}

/** Clients refuse a header of more than 8 KiB, and percent-encoding makes one character up to nine. */
const DETAILS_LENGTH_MAX = 800;

/** Half a character, which a cut may leave behind, cannot be encoded, and would end the process instead of the call. */
function sendable(text: string): string {
  const isLong = text.length > DETAILS_LENGTH_MAX;
  const cut = isLong ? `${text.slice(0, DETAILS_LENGTH_MAX)}...` : text;
  return cut.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Refuses new calls while the server stops. */
export function shuttingDown(): ServeError {
  return new ServeError(
    'version_not_ready',
    'GRPC server is shutting down and has stopped accepting new requests.',
  );
}
