import type { AuthSection } from '../config/auth-section.ts';
import type { KeyFile } from '../config/key-file.ts';
import { type Caller, type Credentials, checkRole, type Doors } from '../core/caller.ts';
import { certificateName } from './certificate-name.ts';
import { grantsTo } from './grants.ts';
import type { KeyCheck, KeyRefusal, KeyStore } from './key-store.ts';
import { missingCredential, type Presented, presentedIn } from './presented.ts';
import { type RefusalReason, UnauthenticatedError } from './refusal.ts';

export type DoorsOptions = {
  /** The section at present: grants follow a reload of the configuration. */
  readonly auth: () => AuthSection;
  readonly keys: Pick<KeyStore, 'check'>;
  /** Called for each refusal. Must not throw. */
  readonly onRefused: (reason: RefusalReason) => void;
};

/** The name of callers without credentials. */
const ANONYMOUS = 'anonymous';

/** Who asks, by API key, client certificate or not at all; and what they may do. */
export function createDoors({ auth, keys, onRefused }: DoorsOptions): Doors {
  const callers = new KeyCallers();
  const callerOf = (presented: Presented): Caller => {
    const section = auth();
    switch (presented.kind) {
      case 'none':
        return { name: ANONYMOUS, grants: section.anonymous };
      case 'key':
        return callers.of(keyOf(keys.check(presented.text)), section);
      case 'certificate': {
        const name = `certificate:${certificateName(presented.certificate)}`;
        return { name, grants: grantsTo(section, [name]) };
      }
      case 'token':
        throw new UnauthenticatedError('scheme', 'expected an API key, found another token');
    }
  };
  const counted = (error: unknown): unknown => {
    if (error instanceof UnauthenticatedError) onRefused(error.reason);
    return error;
  };
  return {
    identify: (credentials: Credentials) => {
      try {
        return callerOf(presentedIn(credentials));
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

/** The caller of each key, made once as long as neither the key nor the section changes. */
class KeyCallers {
  readonly #made = new WeakMap<
    KeyFile,
    { readonly section: AuthSection; readonly caller: Caller }
  >();

  of(key: KeyFile, section: AuthSection): Caller {
    const made = this.#made.get(key);
    if (made?.section === section) return made.caller;
    const grants = [...grantsTo(section, []), ...key.grants];
    const caller = { name: `key:${key.name}`, grants };
    this.#made.set(key, { section, caller });
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
