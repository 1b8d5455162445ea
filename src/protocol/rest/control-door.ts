import type { IncomingHttpHeaders } from 'node:http';
import type { onRequestHookHandler } from 'fastify';

import { ServeError } from '../../core/errors.ts';
import {
  type CallerNames,
  checkHost,
  checkOneHost,
  checkOrigin,
  isAllowedHost,
} from '../../core/web-caller.ts';

/**
 * What a call that changes something may be labelled as. A form of a web page can send neither; Triton's clients send the second,
 * or no label at all.
 */
const CONTENT_TYPES = ['application/json', 'application/octet-stream'];

/** What curl and others label all data as that they are given without a word. A page can send it too, so no browser may. */
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Refuses callers that take this server for another one. Where no names are configured, any will do. */
export function createHostDoor(names: () => CallerNames): onRequestHookHandler {
  return (request, _, done) => {
    checkOneHost(request.raw.rawHeaders);
    const known = names();
    if (known.allowed.length > 0) checkHost(request.headers.host, known);
    done();
  };
}

/**
 * Refuses what a web page of another origin can make a browser send, before any of the body is read: without this, a web
 * page could change settings or models through the browser of a user who can reach the gateway.
 */
export function createControlDoor(names: () => CallerNames): onRequestHookHandler {
  return ({ headers }, _, done) => {
    checkOrigin(headers, isAllowedHost(headers.host, names()));
    checkContentType(headers);
    done();
  };
}

function checkContentType(headers: IncomingHttpHeaders): void {
  const header = headers['content-type'];
  if (header === undefined) return;
  const type = (header.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (CONTENT_TYPES.includes(type) || (type === FORM_TYPE && !isBrowser(headers))) return;
  throw new ServeError(
    'unsupported_media_type',
    `unexpected content-type: expected ${CONTENT_TYPES.join(' or ')}, found '${header.slice(0, 80)}'`,
  );
}

/** What every browser sends with each request of a page; none of it can a page leave out. */
function isBrowser(headers: IncomingHttpHeaders): boolean {
  const { origin, referer, cookie, 'user-agent': agent = '' } = headers;
  const said = [origin, referer, cookie, headers['sec-fetch-site'], headers['sec-fetch-mode']];
  return said.some((each) => each !== undefined) || /^\s*(mozilla|opera)\//i.test(agent);
}
