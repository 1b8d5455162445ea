import type { ClientCertificate, Credentials, SessionCredentials } from '../core/caller.ts';
import { KEY_LENGTH, KEY_START } from './api-key.ts';
import { UnauthenticatedError } from './refusal.ts';
import { PLAIN_COOKIE, SECURE_COOKIE } from './sessions.ts';

/** The one credential that came with a request. */
export type Presented =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly text: string }
  | { readonly kind: 'token'; readonly text: string }
  | {
      readonly kind: 'session';
      /** The name of the cookie. */
      readonly cookie: string;
      readonly secret: string;
      readonly with: SessionCredentials;
    }
  | { readonly kind: 'certificate'; readonly certificate: ClientCertificate };

/** Longer than tokens with hundreds of groups; what is longer is not read. */
const TOKEN_LENGTH_MAX = 8_192;

/** The scheme of RFC 6750, in any case, and one token. */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

const HOW =
  'one credential: "authorization: Bearer" with an API key or a token, or "x-api-key" with an API key';

/**
 * The credential of a request. A request with several is refused: which of them counts would depend on who reads it. Only a
 * client certificate, which belongs to the connection, may come with another one, which then says who asks.
 *
 * @throws UnauthenticatedError before any work is done for what is too long or has no form of ours.
 */
export function presentedIn(credentials: Credentials): Presented {
  const { authorization, apiKey, certificate, session } = credentials;
  const cookies = session === undefined ? NONE : sessionCookiesIn(session);
  const count = authorization.length + apiKey.length + cookies.length;
  if (count > 1) throw new UnauthenticatedError('several', `expected ${HOW}; found ${count}`);
  const [bearer] = authorization;
  if (bearer !== undefined) return bearerIn(bearer);
  const [key] = apiKey;
  if (key !== undefined) return keyIn(key);
  const [cookie] = cookies;
  if (cookie !== undefined) return cookie;
  return certificate === undefined ? { kind: 'none' } : { kind: 'certificate', certificate };
}

type SessionCookie = Extract<Presented, { kind: 'session' }>;

const NONE: readonly SessionCookie[] = [];
const COOKIES: ReadonlySet<string> = new Set([SECURE_COOKIE, PLAIN_COOKIE]);

/** The cookies of ours among all that a browser sends. */
function sessionCookiesIn(session: SessionCredentials): readonly SessionCookie[] {
  if (session.cookie.length === 0) return NONE;
  return session.cookie
    .flatMap((header) => header.split(';'))
    .flatMap((pair) => {
      const [name = '', ...value] = pair.trim().split('=');
      const found = {
        kind: 'session',
        cookie: name,
        secret: value.join('='),
        with: session,
      } as const;
      return COOKIES.has(name) ? [found] : [];
    });
}

function bearerIn(text: string): Presented {
  if (text.length > TOKEN_LENGTH_MAX) {
    throw new UnauthenticatedError(
      'malformed',
      `expected a token of at most ${TOKEN_LENGTH_MAX} characters, found ${text.length}`,
    );
  }
  const credential = BEARER.exec(text)?.[1];
  if (credential === undefined) {
    throw new UnauthenticatedError('scheme', `expected ${HOW}; found another scheme or form`);
  }
  return credential.startsWith(KEY_START) ? keyIn(credential) : { kind: 'token', text: credential };
}

function keyIn(text: string): Presented {
  if (text.length === KEY_LENGTH) return { kind: 'key', text };
  throw new UnauthenticatedError(
    'malformed',
    `expected an API key of ${KEY_LENGTH} characters, found ${text.length}`,
  );
}

/** The refusal of a request that lacks a credential. */
export function missingCredential(): UnauthenticatedError {
  return new UnauthenticatedError('missing', `expected ${HOW}; found none`);
}
