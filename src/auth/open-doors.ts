import type { AuthSection } from '../config/auth-section.ts';
import { type Doors, OPEN_DOORS } from '../core/caller.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { SessionDoor } from '../core/session.ts';
import { Callers } from './callers.ts';
import { createDoors } from './doors.ts';
import { type KeyChange, KeyStore } from './key-store.ts';
import type { RefusalReason } from './refusal.ts';
import { RefusalLog } from './refusal-log.ts';
import { createSessionDoor } from './session-door.ts';
import { Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';

export type OpenDoorsOptions = {
  /** The configuration in force; whether there is a section counts from the start, its grants follow reloads. */
  readonly config: { readonly auth?: AuthSection | undefined };
  /** UNDERSTUDY_KEY_PEPPER. */
  readonly keyPepper: string | undefined;
  readonly clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
  readonly log: Log;
  /** Called for each refusal, by a fixed word. Must not throw. */
  readonly onRefused?: (reason: RefusalReason) => void;
  /** Called for each change of a key while the gateway runs. Must not throw. */
  readonly onKeyChange?: (change: KeyChange) => void;
};

export type OpenedDoors = Doors & {
  /** Undefined: authentication is off, and there is nothing to sign in to. */
  readonly sessions: SessionDoor | undefined;
  readonly close: () => void;
};

/** The doors that the configuration asks for: those of its section `auth`, or open ones where it has none. */
export async function openDoors(options: OpenDoorsOptions): Promise<OpenedDoors> {
  const { config, keyPepper, clock, log, onRefused, onKeyChange } = options;
  const first = config.auth;
  if (first === undefined) {
    return { ...OPEN_DOORS, sessions: undefined, close: () => undefined };
  }
  const keys = new KeyStore({
    ...{ folder: first.keys, pepper: keyPepper, clock, log },
    ...(onKeyChange && { onChange: onKeyChange }),
  });
  await keys.open();
  const refusals = new RefusalLog(log);
  const tokens = new Tokens({ issuers: first.tokens, clock, log });
  const parts = {
    ...{ keys, tokens, clock, sessions: new Sessions(clock), callers: new Callers() },
    auth: () => config.auth ?? first,
    onRefused: (reason: RefusalReason) => {
      refusals.onRefused(reason);
      onRefused?.(reason);
    },
  };
  const doors = createDoors(parts);
  return {
    ...doors,
    sessions: createSessionDoor({ ...parts, doors }),
    close: () => {
      keys.close();
      refusals.close();
    },
  };
}
