import type { HeaderOf } from './routing-key.ts';

/** The header of HTTP and the metadata of gRPC by which callers and proxies name a request. */
export const REQUEST_ID = 'x-request-id';

/** Characters of an id that is taken: proxies write some 36. */
const CHARS_MAX = 128;

/** Printable ASCII without spaces. Values of a header that came twice are joined by a comma and a space, and do not match. */
const FORM = /^[\x21-\x7e]+$/;

/** The caller's id of a request, to be echoed, logged and traced; undefined where there is none, or none that is fit for a log. */
export function callerIdOf(header: HeaderOf): string | undefined {
  const text = header(REQUEST_ID);
  return text !== undefined && text.length <= CHARS_MAX && FORM.test(text) ? text : undefined;
}
