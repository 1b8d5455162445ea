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
  return shortened(typeof found === 'number' ? wholeText(found) : text);
}

/** A number without an exponent, where it is a whole one of a length that can be read. */
export function wholeText(number: number): string {
  if (!Number.isInteger(number)) return String(number);
  const digits = String(BigInt(number));
  return digits.length <= SHOWN_LENGTH_MAX ? digits : String(number);
}

/** What a caller sent is shown to it, but no more of it than a message can carry. */
function shortened(text: string): string {
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}...`;
}

const SHOWN_LENGTH_MAX = 80;

/**
 * The error for a request with an id: a refusal begins with the id, so that a client with many requests in flight can match it.
 * An empty id is none; an internal fault stays unchanged.
 */
export function refusalOf(thrown: unknown, requestId: string | undefined): unknown {
  if (!(thrown instanceof ServeError) || requestId === undefined || requestId === '') return thrown;
  const { code, message, retryAfterMs } = thrown;
  return new ServeError(code, `[request id: ${shortened(requestId)}] ${message}`, {
    cause: thrown,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
