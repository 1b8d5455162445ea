import type { AuthSection } from '../config/auth-section.ts';
import type { KeyFile } from '../config/key-file.ts';
import { type Caller, type Credentials, checkRole, type Doors } from '../core/caller.ts';
import { certificateName } from './certificate-name.ts';
import { grantsTo } from './grants.ts';
import type { KeyCheck, KeyRefusal, KeyStore } from './key-store.ts';
import { missingCredential, type Presented, presentedIn } from './presented.ts';
import { type RefusalReason, UnauthenticatedError } from './refusal.ts';
import type { TokenSubject } from './token-claims.ts';
import type { Tokens } from './tokens.ts';

export type DoorsOptions = {
  /** The section at present: grants follow a reload of the configuration. */
  readonly auth: () => AuthSection;
  readonly keys: Pick<KeyStore, 'check'>;
  readonly tokens: Pick<Tokens, 'verify'>;
  /** Called for each refusal. Must not throw. */
  readonly onRefused: (reason: RefusalReason) => void;
};

/** The name of callers without credentials. */
const ANONYMOUS = 'anonymous';

/** Who asks, by API key, token, client certificate or not at all; and what they may do. */
export function createDoors({ auth, keys, tokens, onRefused }: DoorsOptions): Doors {
  const callers = new Callers();
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

/** The caller of each key and user, made once as long as neither it nor the section changes. */
class Callers {
  readonly #made = new WeakMap<
    KeyFile | TokenSubject,
    { readonly section: AuthSection; readonly caller: Caller }
  >();

  ofKey(key: KeyFile, section: AuthSection): Caller {
    return this.#of(key, section, () => ({
      name: `key:${key.name}`,
      grants: [...grantsTo(section, []), ...key.grants],
    }));
  }

  ofUser(subject: TokenSubject, section: AuthSection): Caller {
    return this.#of(subject, section, () => ({
      name: subject.name,
      grants: grantsTo(section, [subject.name, ...subject.groups]),
    }));
  }

  #of(source: KeyFile | TokenSubject, section: AuthSection, make: () => Caller): Caller {
    const made = this.#made.get(source);
    if (made?.section === section) return made.caller;
    const caller = make();
    this.#made.set(source, { section, caller });
    return caller;
  }
}

function keyOf(check: KeyCheck): KeyFile {
  if (check.kind === 'key') return check.key;
  throw new UnauthenticatedError(`key-${check.why}`, REFUSED[check.why]);
}

/** That a key has expired, or was revoked, learns only who has it. */
const REFUSED: Readonly<Record<KeyRefusal, string>> = {
  malformed: 'expected an API key that this gateway knows, found another',
  unknown: 'expected an API key that this gateway knows, found another',
  expired: 'expected an API key that is valid, found one that has expired',
  revoked: 'expected an API key that is valid, found one that was revoked',
};
