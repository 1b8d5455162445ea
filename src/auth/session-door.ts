import type { AuthSection } from '../config/auth-section.ts';
import type { Caller, Credentials, Doors } from '../core/caller.ts';
import type { SessionDoor } from '../core/session.ts';
import type { Callers } from './callers.ts';
import { keyOf } from './key-of.ts';
import type { KeyStore } from './key-store.ts';
import { presentedIn } from './presented.ts';
import { type RefusalReason, UnauthenticatedError } from './refusal.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

export type SessionDoorOptions = {
  readonly auth: () => AuthSection;
  readonly keys: Pick<KeyStore, 'check' | 'recheck'>;
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly sessions: Sessions;
  readonly callers: Callers;
  readonly doors: Pick<Doors, 'identify'>;
  /** Called for each refusal. Must not throw. */
  readonly onRefused: (reason: RefusalReason) => void;
};

/** Signs browsers in and out. */
export function createSessionDoor(options: SessionDoorOptions): SessionDoor {
  const { sessions, doors, onRefused } = options;
  const counted = (error: unknown): unknown => {
    if (error instanceof UnauthenticatedError) onRefused(error.reason);
    return error;
  };
  return {
    open: async ({ session: _, ...credentials }, isSecure) => {
      try {
        return sessions.open(await holderOf(credentials, options), isSecure);
      } catch (error) {
        throw counted(error);
      }
    },
    view: async (credentials) => {
      const caller = await doors.identify(credentials);
      const presented = presentedIn(credentials);
      if (presented.kind !== 'session') return { caller, csrf: undefined, untilMs: undefined };
      return sessions.use(presented.cookie, presented.secret, presented.with);
    },
    close: (credentials) => {
      try {
        const presented = presentedIn(credentials);
        if (presented.kind !== 'session') throw noSession();
        const { cookie, secret } = presented;
        const { caller } = sessions.use(cookie, secret, presented.with);
        return { caller, setCookie: sessions.close(cookie, secret) };
      } catch (error) {
        throw counted(error);
      }
    },
  };
}

/** Who signs in, asked again with each request of the session: a key that is revoked ends it, and so do other keys of the issuer. */
async function holderOf(
  credentials: Credentials,
  { auth, keys, tokens, callers }: SessionDoorOptions,
): Promise<() => Caller> {
  const presented = presentedIn(credentials);
  if (presented.kind === 'key') {
    const { id } = keyOf(keys.check(presented.text));
    return () => callers.ofKey(keyOf(keys.recheck(id)), auth());
  }
  if (presented.kind !== 'token') throw noSession();
  const { subject, counts } = await tokens.verify(presented.text);
  return () => {
    if (counts()) return callers.ofUser(subject, auth());
    throw new UnauthenticatedError(
      'token-expired',
      'expected a session whose token is valid, found one whose token has expired, or whose issuer has other keys by now. Sign in again',
    );
  };
}

function noSession(): UnauthenticatedError {
  return new UnauthenticatedError(
    'missing',
    'expected an API key or a token to sign in with, or the cookie of a session; found none',
  );
}
