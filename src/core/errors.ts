/**
 * Everything that may go wrong while serving, one code each. A protocol maps every code to its own status
 * (`satisfies Record<ServeErrorCode, ...>`), so that a new code without a status does not compile.
 */
export const SERVE_ERROR_CODES = [
  /** The request contradicts the protocol or the model's signature. The caller must fix it. */
  'invalid_input',
  /** The body, the header or a tensor is over a stated limit. */
  'too_large',
  /** No model of this name. */
  'model_not_found',
  /** The model has no such version or alias. */
  'version_not_found',
  /** The version exists and cannot serve at present (loading, draining, failed). */
  'version_not_ready',
  /** A queue is full. Retry later. */
  'overloaded',
  /** Requests in flight hold all the memory set aside for bodies and answers. Retry later. */
  'memory_full',
  /** The deadline passed, or could not have been met. */
  'deadline_exceeded',
  /** The caller went away. */
  'cancelled',
  /** The request asks for something that this server does not do. */
  'unsupported',
  /** The model failed on this request. */
  'runtime_failed',
  /** The process that ran the model died while the request was in it. */
  'host_lost',
  /** A fault of ours. */
  'internal',
  /** A model cannot be loaded: its files or its configuration are at fault. */
  'load_failed',
  /** Something else has a hold on it, such as a rollout. */
  'conflict',
  /** The configuration does not allow it. */
  'not_allowed',
  /** The caller may not do this; others may. */
  'forbidden',
  /** A web page of another origin asks for what only callers that are no pages may. */
  'origin_not_allowed',
  /** The body of a call that changes something is of a kind that any web page may send. */
  'unsupported_media_type',
  /** The caller takes this server for another one, by a name that it does not have. */
  'host_not_allowed',
  /** The request does not say who asks, or says it with credentials that do not count. */
  'unauthenticated',
  /** The caller is over its quota. Retry later. */
  'rate_limited',
] as const;

export type ServeErrorCode = (typeof SERVE_ERROR_CODES)[number];

/** The one error class of the serving column. `message` says what was expected, what was found, and where. */
export class ServeError extends Error {
  readonly code: ServeErrorCode;
  /** When to try again, in milliseconds, where that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ServeErrorCode,
    message: string,
    options?: ErrorOptions & { retryAfterMs?: number },
  ) {
    super(message, options);
    this.name = 'ServeError';
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }

  /** Turns anything thrown into a ServeError; what is not one becomes `internal`, with the cause kept. */
  static from(thrown: unknown, code: ServeErrorCode = 'internal'): ServeError {
    if (thrown instanceof ServeError) return thrown;
    return new ServeError(code, messageOf(thrown), { cause: thrown });
  }
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The message of what an error says it came from; its own where it does not say. */
export function causeMessageOf(thrown: unknown): string {
  const hasCause = thrown instanceof Error && thrown.cause !== undefined;
  return messageOf(hasCause ? thrown.cause : thrown);
}
