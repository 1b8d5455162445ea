import { createHmac } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKey, revokeKey } from '../../src/auth/manage-keys.ts';
import type { Role } from '../../src/core/caller.ts';
import { systemClock } from '../../src/core/clock.ts';
import { AnIssuer, aSigningKey, signed } from '../auth/an-issuer.ts';
import { aPlace, type Place } from '../e2e/a-gateway.ts';
import { Authority } from '../support/certificates.ts';

/** Keys of a gateway, and those that are good for nothing. */
export type Keys = Readonly<Record<Role, string>> & {
  readonly expired: string;
  readonly revoked: string;
  /** Of another gateway, with another pepper. */
  readonly foreign: string;
  /** May infer, five times at once and then once in a while. */
  readonly quota: string;
};

/** Of the issuer that the gateway trusts, or nearly so. Only `good` counts: it may infer. */
export type Tokens = Readonly<Record<string, string>> & { readonly good: string };

export type PlaceTls = {
  readonly authority: Authority;
  readonly client: { readonly ca: string };
};

export type LockedPlace = Place & {
  readonly keys: Keys;
  readonly keysFolder: string;
  readonly tokens: Tokens;
  /** Undefined: the ports have no TLS. */
  readonly tls: PlaceTls | undefined;
};

type Teardown = { readonly teardown: (work: () => unknown) => void };

const FREE = '127.0.0.1:0';

/** A place with two versions of a model, whose gateway lets in who has one of the keys, and no other. */
export async function aLockedPlace(t: Teardown, isSecure = false): Promise<LockedPlace> {
  const place = await aPlace(t, ['1', '2']);
  const text = await readFile(place.config, 'utf8');
  const tls = isSecure ? await aPlaceTls(t) : undefined;
  const server = {
    ...{ http: FREE, grpc: FREE, admin: FREE, metrics: FREE },
    ...{ modelControl: 'explicit', allowedHosts: ['gateway.example'], max: { model: 'fashion' } },
    ...(tls && { tls: tls.section }),
  };
  await writeFile(place.config, text.replace(/^server: .*$/m, `server: ${JSON.stringify(server)}`));
  const { issuer, tokens } = await someTokens(t);
  const auth = {
    keys: './keys',
    tokens: [{ issuer, audience: 'understudy', roles: 'groups' }],
    grants: [
      { to: 'user:ann', role: 'infer' },
      { to: 'certificate:operator', role: 'admin' },
    ],
  };
  const quotas = [{ caller: 'key:quota', model: '*', perSecond: QUOTA_RATE, burst: QUOTA_BURST }];
  await appendFile(
    place.config,
    `auth: ${JSON.stringify(auth)}\nquotas: ${JSON.stringify(quotas)}\n`,
  );
  const keysFolder = join(place.root, 'keys');
  const keys = await someKeys(keysFolder, join(place.root, 'other-keys'));
  return { ...place, keysFolder, keys, tokens, tls };
}

/** Of `keys.quota`: so slow that a busy machine fills nothing. */
export const QUOTA_BURST = 5;
const QUOTA_RATE = 0.001;

async function aPlaceTls(t: Teardown) {
  const authority = await Authority.open(t);
  const { certificate, key } = await authority.issue({ name: 'server' });
  const section = { certificate, key, clientCa: authority.certificate, clients: 'request' };
  return { authority, client: { ca: await authority.ca() }, section };
}

/** A token that counts, and what is made from it, or beside it, to count as well. */
async function someTokens(t: Teardown): Promise<{ issuer: string; tokens: Tokens }> {
  const key = await aSigningKey('one');
  const issuer = await AnIssuer.open(t, key);
  const other = await AnIssuer.open(t, await aSigningKey('two'));
  const stranger = await aSigningKey('one');
  const nowS = Math.floor(systemClock.wallMs() / 1_000);
  const claims = { iss: issuer.url, aud: 'understudy', sub: 'ann', exp: nowS + 36_000 };
  const good = await signed(key, claims);
  const [header = '', payload = '', signature = ''] = good.split('.');
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const hmac = (secret: string): string => {
    const text = `${part({ alg: 'HS256', kid: 'one' })}.${payload}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const admin = part({ ...claims, sub: 'root', groups: ['admin'] });
  return {
    issuer: issuer.url,
    tokens: {
      good,
      expired: await signed(key, { ...claims, exp: nowS - 60 }),
      'not valid yet': await signed(key, { ...claims, nbf: nowS + 3_600 }),
      'without an end': await signed(key, { ...claims, exp: undefined }),
      'for another audience': await signed(key, { ...claims, aud: 'other' }),
      'of another issuer': await signed(key, { ...claims, iss: other.url }),
      'of an issuer with a slash more': await signed(key, { ...claims, iss: `${issuer.url}/` }),
      'signed by another key of the same name': await signed(stranger, claims),
      'signed by a key that it brings': await signed(stranger, claims, { jwk: stranger.jwk }),
      'signed by a key that it names': await signed(stranger, claims, { jku: `${other.url}/keys` }),
      'without a user': await signed(key, { ...claims, sub: undefined }),
      'with another content': `${header}.${admin}.${signature}`,
      'without a signature': `${header}.${payload}.`,
      'of no algorithm': `${part({ alg: 'none' })}.${payload}.`,
      'of no algorithm, in other letters': `${part({ alg: 'NoNe' })}.${payload}.`,
      'signed with the public key as secret': hmac(JSON.stringify(key.jwk)),
      'signed with the public coordinate as secret': hmac(String(key.jwk.x)),
      'of a user without grants': await signed(key, { ...claims, sub: 'bob' }),
      'twice in one': `${good}.${good}`,
    },
  };
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
    quota: (await make('infer', { name: 'quota' })).key,
  };
}
