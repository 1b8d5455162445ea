import type { AuthSection } from '../config/auth-section.ts';
import type { KeyFile } from '../config/key-file.ts';
import type { Caller } from '../core/caller.ts';
import { grantsTo } from './grants.ts';
import type { TokenSubject } from './token-claims.ts';

/** The caller of each key and user, made once as long as neither it nor the section changes. */
export class Callers {
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
