import type { ClientCertificate, Credentials, SessionCredentials } from './caller.ts';
import { NO_CREDENTIALS } from './caller.ts';

const AUTHORIZATION = 'authorization';
const API_KEY = 'x-api-key';
const COOKIE = 'cookie';
const CSRF = 'x-understudy-csrf';

/**
 * What came with a request that may say who asks. Of a header that came more than once every value counts: what Node makes of such
 * headers drops all but the first.
 *
 * @param rawHeaders names and values in turn, as Node has them of HTTP/1 and HTTP/2. Trailers are not among them, and say nothing.
 */
export function credentialsIn(
  rawHeaders: readonly string[],
  certificate: ClientCertificate | undefined,
): Credentials {
  const authorization = valuesOf(rawHeaders, AUTHORIZATION);
  const apiKey = valuesOf(rawHeaders, API_KEY);
  if (authorization === NONE && apiKey === NONE && certificate === undefined) return NO_CREDENTIALS;
  return { authorization, apiKey, certificate };
}

/** What a browser's session sends. */
export function sessionIn(rawHeaders: readonly string[], method: string): SessionCredentials {
  return {
    cookie: valuesOf(rawHeaders, COOKIE),
    csrf: valuesOf(rawHeaders, CSRF),
    isChange: method !== 'GET' && method !== 'HEAD',
  };
}

const NONE: readonly string[] = [];

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  let values = NONE;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const found = rawHeaders[at] ?? '';
    if (found.length !== name.length || found.toLowerCase() !== name) continue;
    values = [...values, rawHeaders[at + 1] ?? ''];
  }
  return values;
}
