import { ServeError } from '../core/errors.ts';

/** `unexpected dimension of input 'x': expected a whole number from 0, found -1`. */
export function unexpected(where: string, expected: string, found: unknown): ServeError {
  return new ServeError(
    'invalid_input',
    `unexpected ${where}: expected ${expected}, found ${describe(found)}`,
  );
}

function describe(found: unknown): string {
  if (found === undefined) return 'nothing';
  const text = typeof found === 'bigint' ? String(found) : JSON.stringify(found);
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}...`;
}

const SHOWN_LENGTH_MAX = 80;

/**
 * The refusal of a request that the caller gave an id: with it in front, as callers know it who have many requests under way.
 * An empty id is none.
 */
export function refusalOf(error: ServeError, requestId: string | undefined): ServeError {
  if (requestId === undefined || requestId === '') return error;
  const { code, message, retryAfterMs } = error;
  return new ServeError(code, `[request id: ${requestId}] ${message}`, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
