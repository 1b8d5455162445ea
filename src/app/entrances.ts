import { openDoors } from '../auth/open-doors.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { createEntrance, type Entrance, type Plane } from '../core/entrance.ts';
import type { Log } from '../core/log.ts';
import type { RecordBody } from '../core/record.ts';
import type { SessionDoor } from '../core/session.ts';
import { isLoopbackAddress } from '../core/web-caller.ts';
import type { Controller } from '../rollout/controller.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Release, releasing } from './release.ts';

/** What asks the callers of each port; undefined: authentication is off. */
export type Entrances = Readonly<Record<Plane, Entrance | undefined>> & {
  /** Browsers on the admin port. */
  readonly sessions: SessionDoor | undefined;
};

export type EntranceParts = {
  readonly config: Config;
  readonly keyPepper?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Pick<Telemetry, 'onCallerRefused'>;
  readonly controller: Pick<Controller, 'note'>;
};

type Access = Extract<RecordBody, { kind: 'access' }>;

const KEY_CHANGES = {
  added: 'keyAdded',
  changed: 'keyChanged',
  revoked: 'keyRevoked',
  removed: 'keyRemoved',
} as const satisfies Record<string, Access['what']>;

/** One entrance for each port, over the same doors. */
export async function openEntrances(parts: EntranceParts, release: Release): Promise<Entrances> {
  const { config, keyPepper, clock, log, telemetry, controller } = parts;
  if (config.auth === undefined) {
    warnOfOpenPorts(config, log);
    return { http: undefined, grpc: undefined, admin: undefined, sessions: undefined };
  }
  warnOfClearPorts(config, log);
  const doors = await openDoors({
    ...{ config, keyPepper, clock, log },
    onKeyChange: ({ kind, id, name }) =>
      void controller.note({
        kind: 'access',
        what: KEY_CHANGES[kind],
        caller: `key:${name}`,
        keyId: id,
      }),
  });
  release.push(releasing('the keys of callers', async () => doors.close()));
  const entranceOf = (plane: Plane): Entrance =>
    createEntrance({ doors, onRefused: (reason) => telemetry.onCallerRefused(plane, reason) });
  return {
    http: entranceOf('http'),
    grpc: entranceOf('grpc'),
    admin: entranceOf('admin'),
    sessions: doors.sessions,
  };
}

type CallerPort = 'http' | 'grpc' | 'admin';

/** The ports that other machines can connect to, as text; undefined: there are none. */
function openPorts(server: Config['server'], ports: readonly CallerPort[]): string | undefined {
  const open = ports.filter((port) => !isLoopbackAddress(server[port].host));
  if (open.length === 0) return undefined;
  return open.map((port) => `server.${port} (${server[port].host})`).join(' and ');
}

/** Something in front may speak TLS, so it is no error. */
function warnOfClearPorts({ server }: Config, log: Log): void {
  const clear = (['http', 'grpc', 'admin'] as const).filter(
    (port) => server.tls?.ports.includes(port) !== true,
  );
  const where = openPorts(server, clear);
  if (where === undefined) return;
  log({
    level: 'warn',
    message: `${where}: without TLS, keys and tokens can be read on the way. Set server.tls, unless a proxy on this machine speaks TLS for it`,
  });
}

function warnOfOpenPorts({ server }: Config, log: Log): void {
  const where = openPorts(server, ['http', 'grpc']);
  if (where === undefined) return;
  const control =
    server.modelControl === 'explicit' ? ', and load and unload models (server.modelControl)' : '';
  log({
    level: 'warn',
    message: `${where}: everyone who can connect may ask every model${control}. Authentication is off: a section auth switches it on`,
  });
}
