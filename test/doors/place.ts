import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKey, revokeKey } from '../../src/auth/manage-keys.ts';
import type { Role } from '../../src/core/caller.ts';
import { systemClock } from '../../src/core/clock.ts';
import { aPlace, type Place } from '../e2e/a-gateway.ts';

/** Keys of a gateway, and those that are good for nothing. */
export type Keys = Readonly<Record<Role, string>> & {
  readonly expired: string;
  readonly revoked: string;
  /** Of another gateway, with another pepper. */
  readonly foreign: string;
};

export type LockedPlace = Place & { readonly keys: Keys; readonly keysFolder: string };

type Teardown = { readonly teardown: (work: () => unknown) => void };

const FREE = '127.0.0.1:0';

/** A place with two versions of a model, whose gateway lets in who has one of the keys, and no other. */
export async function aLockedPlace(t: Teardown): Promise<LockedPlace> {
  const place = await aPlace(t, ['1', '2']);
  const text = await readFile(place.config, 'utf8');
  const server = `{ http: "${FREE}", grpc: "${FREE}", admin: "${FREE}", modelControl: explicit, max: { model: fashion } }`;
  await writeFile(place.config, text.replace(/^server: .*$/m, `server: ${server}`));
  await appendFile(place.config, 'auth: { keys: ./keys }\n');
  const keysFolder = join(place.root, 'keys');
  return { ...place, keysFolder, keys: await someKeys(keysFolder, join(place.root, 'other-keys')) };
}

async function someKeys(folder: string, other: string): Promise<Keys> {
  const nowMs = systemClock.wallMs();
  const make = async (
    role: Role,
    { at = folder, name = role as string, expiresMs = nowMs + 1e9 } = {},
  ) => {
    const grants = [{ role, models: '*' as const }];
    const made = await createKey(
      { folder: at, pepper: undefined },
      { name, grants, nowMs, expiresMs },
    );
    return made;
  };
  const keyOf = async (role: Role) => (await make(role)).key;
  const revoked = await make('admin', { name: 'revoked' });
  await revokeKey(folder, revoked.file.id, nowMs);
  return {
    infer: await keyOf('infer'),
    label: await keyOf('label'),
    view: await keyOf('view'),
    operate: await keyOf('operate'),
    admin: await keyOf('admin'),
    revoked: revoked.key,
    expired: (await make('admin', { name: 'expired', expiresMs: nowMs - 1_000 })).key,
    foreign: (await make('admin', { at: other })).key,
  };
}
