import type { AuthSection } from '../config/auth-section.ts';
import { type Caller, type Credentials, checkRole, type Doors } from '../core/caller.ts';
import type { Callers } from './callers.ts';
import { certificateName } from './certificate-name.ts';
import { grantsTo } from './grants.ts';
import { keyOf } from './key-of.ts';
import type { KeyStore } from './key-store.ts';
import { missingCredential, type Presented, presentedIn } from './presented.ts';
import { type RefusalReason, UnauthenticatedError } from './refusal.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

export type DoorsOptions = {
  /** The section at present: grants follow a reload of the configuration. */
  readonly auth: () => AuthSection;
  readonly keys: Pick<KeyStore, 'check'>;
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly sessions: Pick<Sessions, 'use'>;
  readonly callers: Callers;
  /** Called for each refusal. Must not throw. */
  readonly onRefused: (reason: RefusalReason) => void;
};

/** The name of callers without credentials. */
const ANONYMOUS = 'anonymous';

/** Who asks, by API key, token, session, client certificate or not at all; and what they may do. */
export function createDoors(options: DoorsOptions): Doors {
  const { auth, keys, tokens, sessions, callers, onRefused } = options;
  const callerOf = (presented: Presented): Caller | Promise<Caller> => {
    const section = auth();
    switch (presented.kind) {
      case 'none':
        return { name: ANONYMOUS, grants: section.anonymous };
      case 'key':
        return callers.ofKey(keyOf(keys.check(presented.text)), section);
      case 'certificate': {
        const name = `certificate:${certificateName(presented.certificate)}`;
        return { name, grants: grantsTo(section, [name]) };
      }
      case 'session':
        return sessions.use(presented.cookie, presented.secret, presented.with).caller;
      case 'token': {
        const verified = tokens.verify(presented.text);
        if (!(verified instanceof Promise)) return callers.ofUser(verified.subject, section);
        return verified.then(({ subject }) => callers.ofUser(subject, auth()));
      }
    }
  };
  const counted = (error: unknown): unknown => {
    if (error instanceof UnauthenticatedError) onRefused(error.reason);
    return error;
  };
  return {
    identify: (credentials: Credentials) => {
      try {
        const caller = callerOf(presentedIn(credentials));
        if (!(caller instanceof Promise)) return caller;
        return caller.catch((error: unknown) => {
          throw counted(error);
        });
      } catch (error) {
        throw counted(error);
      }
    },
    check: (caller, role, model) => {
      try {
        checkRole(caller, role, model);
      } catch (error) {
        // Who says who asks may have the right.
        if (caller.name === ANONYMOUS) throw counted(missingCredential());
        onRefused('forbidden');
        throw error;
      }
    },
  };
}
