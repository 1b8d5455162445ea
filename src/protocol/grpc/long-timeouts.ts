import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

const TIMEOUT_HEADER = 'grpc-timeout';

/** The library counts in whole milliseconds of 32 bits: 24 days. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Milliseconds in each unit of time that is long enough to matter. */
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000 };

/**
 * Drops a timeout that is longer than the library can count: it overflows there, possibly to 0, and calls with a deadline of
 * a month failed immediately with DEADLINE_EXCEEDED.
 */
export function forgetLongTimeouts(session: ServerHttp2Session): void {
  // Ahead of the library, which reads the same headers.
  session.prependListener('stream', (_: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const timeout = headers[TIMEOUT_HEADER];
    if (typeof timeout === 'string' && isTooLong(timeout)) delete headers[TIMEOUT_HEADER];
  });
}

function isTooLong(timeout: string): boolean {
  const [, count, unit = ''] = /^(\d{1,8})([HMS])$/.exec(timeout) ?? [];
  return Number(count ?? 0) * (UNIT_MS[unit] ?? 0) > TIMEOUT_MS_MAX;
}
