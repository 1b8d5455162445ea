import { openDoors } from '../../src/auth/open-doors.ts';
import type { AuthSection } from '../../src/config/auth-section.ts';
import { type Caller, type Credentials, NO_CREDENTIALS } from '../../src/core/caller.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { aKey, aKeyFolder } from './a-key-folder.ts';

type Teardown = { readonly teardown: (work: () => unknown) => void };

/** Doors of a section, and a key for `operate` on the model `fashion`. */
export async function someDoors(t: Teardown, section: Partial<AuthSection> = {}) {
  const keys = await aKeyFolder(t);
  const { key, file } = await aKey(keys, { grants: [{ role: 'operate', models: ['fashion'] }] });
  const config = { auth: { keys, tokens: [], anonymous: [], grants: [], ...section } };
  const logged: LogEntry[] = [];
  const refused: string[] = [];
  const doors = await openDoors({
    ...{ config, keyPepper: undefined, clock: systemClock },
    log: (entry) => logged.push(entry),
    onRefused: (reason) => refused.push(reason),
  });
  t.teardown(() => doors.close());
  const identify = (credentials: Partial<Credentials>): Caller => {
    const caller = doors.identify({ ...NO_CREDENTIALS, ...credentials });
    if (caller instanceof Promise) throw new Error('expected a caller at once');
    return caller;
  };
  return { doors, key, file, identify, config, refused, logged };
}
