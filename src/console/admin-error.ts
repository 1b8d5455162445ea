import { CHALLENGE } from '../core/caller.ts';
import { ServeError, type ServeErrorCode } from '../core/errors.ts';
import type { Refusal, RefusalCode } from '../core/refusal.ts';

/** One status a code: a new code without one does not compile. */
const REFUSAL_STATUS = {
  invalid: 400,
  not_comparable: 400,
  unknown_model: 404,
  unknown_version: 404,
  no_rollout: 404,
  rollout_running: 409,
  not_paused: 409,
  other_rollout: 409,
  revision_moved: 409,
  route_in_the_way: 409,
  controller_fenced: 409,
  not_ready: 503,
  ledger_degraded: 503,
} as const satisfies Record<RefusalCode, number>;

const FAULT_STATUS = {
  invalid_input: 400,
  too_large: 413,
  model_not_found: 404,
  version_not_found: 404,
  version_not_ready: 503,
  overloaded: 503,
  memory_full: 503,
  deadline_exceeded: 504,
  cancelled: 499,
  unsupported: 415,
  runtime_failed: 500,
  host_lost: 500,
  internal: 500,
  load_failed: 409,
  conflict: 409,
  not_allowed: 503,
  forbidden: 403,
  origin_not_allowed: 403,
  unsupported_media_type: 415,
  host_not_allowed: 421,
  unauthenticated: 401,
  rate_limited: 429,
} as const satisfies Record<ServeErrorCode, number>;

/** The body of every answer that is not a success. */
export type AdminErrorBody = { readonly error: string; readonly code: string };

export type AdminError = {
  readonly status: number;
  readonly body: AdminErrorBody;
  /** Besides those of every answer. */
  readonly headers: Readonly<Record<string, string>>;
};

export function adminErrorOfRefusal({ code, why }: Refusal): AdminError {
  return { status: REFUSAL_STATUS[code], body: { error: why, code }, headers: {} };
}

/** Turns anything thrown into an answer. What is neither ours nor the HTTP server's is a fault: its text stays inside. */
export function adminErrorOf(thrown: unknown): AdminError {
  if (thrown instanceof ServeError) {
    const { code, message } = thrown;
    return {
      status: FAULT_STATUS[code],
      body: { error: message, code },
      headers: headersOf(thrown),
    };
  }
  const status = statusOf(thrown);
  if (status !== undefined && thrown instanceof Error) {
    const code = status === 413 ? 'too_large' : status === 415 ? 'unsupported' : 'invalid_input';
    return { status, body: { error: thrown.message, code }, headers: {} };
  }
  return { status: 500, body: { error: 'internal error', code: 'internal' }, headers: {} };
}

function headersOf({ code, retryAfterMs }: ServeError): Readonly<Record<string, string>> {
  if (code === 'unauthenticated') return { 'www-authenticate': CHALLENGE };
  if (code !== 'rate_limited') return {};
  return { 'retry-after': String(Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1_000))) };
}

/** The HTTP server says with a 4xx what it did not like about a request. */
function statusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('statusCode' in thrown)) return undefined;
  const status = thrown.statusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
