import { createHmac } from 'node:crypto';
import type { Random } from '../../src/core/random.ts';
import type { HttpCall } from './calls.ts';
import type { Keys, Tokens } from './place.ts';

/** Names and values of headers, in turn, as they go out. */
export type Headers = readonly (readonly [string, string])[];

export type Stranger = {
  readonly name: string;
  readonly headers: (random: Random) => Headers;
  /** What a client of gRPC does not send as it is given. */
  readonly isHttpOnly?: boolean;
};

/** What callers without rights bring along. None of it may open anything. */
export function strangers(keys: Keys, { good: token, ...bad }: Tokens): readonly Stranger[] {
  const bearer = (text: string): Headers => [['authorization', `Bearer ${text}`]];
  const fixed = (name: string, headers: Headers): Stranger => ({ name, headers: () => headers });
  const good = keys.admin;
  return [
    fixed('nothing', []),
    fixed('an expired key', bearer(keys.expired)),
    fixed('a revoked key', [['x-api-key', keys.revoked]]),
    fixed('a key of another gateway', bearer(keys.foreign)),
    fixed('a key that was cut', bearer(good.slice(0, -1))),
    fixed('the id of a key alone', bearer(good.slice(0, 20))),
    {
      name: 'a key with another character',
      headers: (random) => bearer(withOther(good, random)),
    },
    fixed('a key in Basic', [
      ['authorization', `Basic ${Buffer.from(`x:${good}`).toString('base64')}`],
    ]),
    fixed('a key without a scheme', [['authorization', good]]),
    { ...fixed('a key twice', [...bearer(good), ...bearer(good)]), isHttpOnly: true },
    fixed('a key twice, by the other header', [
      ['x-api-key', good],
      ['x-api-key', good],
    ]),
    fixed('a key in both headers', [...bearer(good), ['x-api-key', good]]),
    fixed('a good key beside a bad one', [...bearer(keys.revoked), ['x-api-key', good]]),
    fixed('two keys in one header', bearer(`${keys.revoked}, Bearer ${good}`)),
    fixed('a key in a cookie', [['cookie', `understudy=${good}; __Host-understudy=${good}`]]),
    fixed('a key as proxy', [['proxy-authorization', `Bearer ${good}`]]),
    fixed('a word for a caller', [
      ['x-forwarded-user', 'admin'],
      ['x-remote-user', 'admin'],
      ['x-forwarded-for', '127.0.0.1'],
    ]),
    fixed('a header with underscores', [['x_api_key', good]]),
    fixed('a token of no algorithm', bearer(aToken({ alg: 'none' }))),
    fixed('a token signed with a key', bearer(aToken({ alg: 'HS256' }, keys.foreign))),
    ...Object.entries(bad).map(([what, text]) => fixed(`a token ${what}`, bearer(text))),
    fixed('a token for a key', [['x-api-key', token]]),
    fixed('a token beside a key', [...bearer(token), ['x-api-key', good]]),
    fixed('a session that never was', [
      ['cookie', `__Host-understudy=${'A'.repeat(43)}; understudy=${'A'.repeat(43)}`],
      ['x-understudy-csrf', 'A'.repeat(43)],
    ]),
    { name: 'noise', headers: (random) => bearer(noise(random, 1 + random.integer(300))) },
    { name: 'a very long key', headers: () => bearer('k'.repeat(7_000)) },
  ];
}

/** A JSON web token as a stranger would make it. */
function aToken(header: object, secret = ''): string {
  const payload = {
    sub: 'admin',
    roles: ['admin'],
    iss: 'understudy',
    aud: 'understudy',
    exp: 9e9,
  };
  const text = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature =
    secret === '' ? '' : createHmac('sha256', secret).update(text).digest('base64url');
  return `${text}.${signature}`;
}

function withOther(key: string, random: Random): string {
  const at = 'understudy_'.length + random.integer(key.length - 'understudy_'.length);
  return key.slice(0, at) + (key[at] === 'a' ? 'b' : 'a') + key.slice(at + 1);
}

function noise(random: Random, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(33 + random.integer(94))).join('');
}

/** The same thing asked in another spelling, by another method or with another body, now and then. */
export function varied(call: HttpCall, random: Random): HttpCall {
  const { method, path, body } = call;
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)] as T;
  return {
    plane: call.plane,
    method: random.unit() < 0.8 ? method : pick(METHODS),
    path: random.unit() < 0.6 ? path : pick(SPELLINGS)(path),
    ...(body !== undefined && { body: random.unit() < 0.8 ? body : pick(BODIES) }),
  };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'];

const BODIES: readonly object[] = [{}, [], { __proto__: null, reason: 'x'.repeat(1_000) }];

const SPELLINGS: readonly ((path: string) => string)[] = [
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => `${path}?api_key=x&access_token=y`,
  (path) => path.replace('fashion', '%66ashion'),
  (path) => path.replaceAll('/', '%2f').replace('%2f', '/'),
  (path) => `/v2/health/live/..${path}`,
  (path) => `/v2/health/live/%2e%2e%2f..${path}`,
  (path) => `/healthz/..${path}`,
  (path) => `${path};/v2/health/live`,
  (path) => `${path}#/healthz`,
  (path) => `${path}%00`,
  (path) => path.toUpperCase(),
  (path) => `http://localhost${path}`,
];
