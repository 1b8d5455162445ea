/**
 * What a web page may make a browser send here. A browser names the page's origin with everything that may change something, and
 * lets the page neither leave that out nor write another; a page whose own name leads here all of a sudden (DNS rebinding) has the
 * same origin as its requests, and still cannot change the name in the header `host`.
 */
import { ServeError } from './errors.ts';

/** The host names that clients may call by, in addition to addresses. */
export type CallerNames = {
  /** In lower case; `.a.com` also allows subdomains. */
  readonly allowed: readonly string[];
  /** Whether only this machine can connect: then `localhost` is a name too. */
  readonly isLoopback: boolean;
};

/** The key of the configuration that allows names. */
const ALLOWED_HOSTS_KEY = 'server.allowedHosts';

/** True where only this machine can connect to a port that listens there. */
export function isLoopbackAddress(host: string): boolean {
  const name = host.toLowerCase();
  return (
    name === 'localhost' || name === '::1' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)
  );
}

/** True for the names and addresses that always mean this machine, in a header `host`. */
export function isLoopbackHost(host: string | undefined): boolean {
  return isLoopbackAddress(hostNameOf(host));
}

/**
 * Node takes the first of two headers `host`, and what is in front of it may take the last.
 *
 * @param rawHeaders names and values in turn.
 * @throws ServeError `invalid_input` where there is more than one (RFC 9112, 3.2).
 */
export function checkOneHost(rawHeaders: readonly string[]): void {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  if (count > 1)
    throw new ServeError('invalid_input', `expected one header host, found ${count} of them`);
}

/** True where a header `host`, or `:authority`, is an address, which no page can make its own, or one of the names. */
export function isAllowedHost(host: string | undefined, names: CallerNames): boolean {
  const name = hostNameOf(host);
  if (ADDRESS.test(name)) return true;
  if (name === 'localhost') return names.isLoopback || names.allowed.includes(name);
  return names.allowed.some((each) =>
    each.startsWith('.') ? name === each.slice(1) || name.endsWith(each) : name === each,
  );
}

/** @throws ServeError `host_not_allowed` where the header names this server otherwise than `names` allow. */
export function checkHost(host: string | undefined, names: CallerNames): void {
  if (isAllowedHost(host, names)) return;
  const known = [...(names.isLoopback ? ['localhost'] : []), 'an IP address', ...names.allowed];
  throw new ServeError(
    'host_not_allowed',
    `unexpected host: expected ${known.join(' or ')}, found ${shown(host)}. Names are allowed with ${ALLOWED_HOSTS_KEY}`,
  );
}

/**
 * Lets callers that are no web pages pass, and pages that this very server gave out under a name that it may have.
 * @throws ServeError `origin_not_allowed` for pages of any other origin.
 */
export function checkOrigin(headers: CallerHeaders, isOwnHost: boolean): void {
  const { origin, host } = headers;
  if (origin === undefined) return;
  if (isOwnHost && host !== undefined && isOriginOf(origin, host.toLowerCase())) return;
  throw new ServeError(
    'origin_not_allowed',
    `unexpected origin: expected a caller that is no web page, or a page of this server under one of its names, found ${shown(origin)}`,
  );
}

export type CallerHeaders = {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
};

const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/** Without its port and the point that ends a complete name. */
function hostNameOf(host: string | undefined): string {
  return (host ?? '').trim().toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

/** A port that goes without saying may be said all the same. The scheme is not asked: something in front may speak TLS. */
function isOriginOf(origin: string, host: string): boolean {
  const [, scheme, authority] = /^(https?):\/\/([^/?#@\s]+)$/.exec(origin.toLowerCase()) ?? [];
  return host === authority || host === `${authority}:${scheme === 'https' ? 443 : 80}`;
}

/** What a caller sent, but no more of it than a message can carry. */
function shown(text: string | undefined): string {
  return text === undefined ? 'none' : JSON.stringify(text.slice(0, 80));
}
