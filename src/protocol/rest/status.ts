import { CHALLENGE } from '../../core/caller.ts';
import type { ServeError, ServeErrorCode } from '../../core/errors.ts';

/** Every code's HTTP status. */
export const HTTP_STATUS = {
  invalid_input: 400,
  too_large: 413,
  model_not_found: 404,
  version_not_found: 404,
  version_not_ready: 503,
  overloaded: 429,
  memory_full: 503,
  deadline_exceeded: 504,
  cancelled: 499,
  unsupported: 501,
  runtime_failed: 500,
  host_lost: 503,
  internal: 500,
  load_failed: 400,
  conflict: 409,
  not_allowed: 503,
  forbidden: 403,
  origin_not_allowed: 403,
  unsupported_media_type: 415,
  host_not_allowed: 421,
  unauthenticated: 401,
  rate_limited: 429,
} as const satisfies Record<ServeErrorCode, number>;

/** What a refused caller reads. The protocol asks for `error` alone; `code` is for those who branch on it. */
export type ErrorBody = { readonly error: string; readonly code: ServeErrorCode };

/** An internal error is reported to the operator; the caller learns only that there was one. */
export function errorBodyOf(error: ServeError): ErrorBody {
  const { code } = error;
  return { error: code === 'internal' ? 'internal error' : error.message, code };
}

/** Whole seconds for the header `retry-after`, at least 1; undefined where trying again will not help. */
export function retryAfterSeconds(error: ServeError): number | undefined {
  const { code, retryAfterMs } = error;
  if (retryAfterMs !== undefined) return Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return RETRIED_CODES.has(code) ? 1 : undefined;
}

const RETRIED_CODES: ReadonlySet<ServeErrorCode> = new Set([
  'overloaded',
  'host_lost',
  'rate_limited',
]);

/** The headers that an error brings besides its status: when to try again, and how to say who asks. */
export function errorHeadersOf(error: ServeError): Readonly<Record<string, string>> {
  const retryAfter = retryAfterSeconds(error);
  return {
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(error.code === 'unauthenticated' ? { 'www-authenticate': CHALLENGE } : {}),
  };
}
