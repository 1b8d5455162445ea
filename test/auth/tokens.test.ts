import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, exportSPKI, importJWK } from 'jose';
import t from 'tap';
import { Tokens } from '../../src/auth/tokens.ts';
import type { TokenIssuer } from '../../src/config/token-section.ts';
import { HandClock } from '../../src/core/clock.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { until } from '../support/until.ts';
import { AnIssuer, aSigningKey, type Claims, signed } from './an-issuer.ts';

type Teardown = { readonly teardown: (work: () => unknown) => void };

const key = await aSigningKey('one');

/** An issuer that runs, the gateway's view of it, and claims of a token that is good. */
async function aSetting(t: Teardown, settings: Partial<TokenIssuer> = {}) {
  const issuer = await AnIssuer.open(t, key);
  const clock = new HandClock();
  const logged: LogEntry[] = [];
  const section: TokenIssuer = {
    ...{ issuer: issuer.url, audience: ['understudy'], jwks: undefined },
    ...{ name: 'sub', roles: 'roles', prefix: '' },
    ...settings,
  };
  const tokens = new Tokens({ issuers: [section], clock, log: (entry) => logged.push(entry) });
  const nowS = Math.floor(clock.wallMs() / 1_000);
  const good = {
    iss: section.issuer,
    aud: 'understudy',
    sub: 'ann',
    exp: nowS + 600,
    roles: ['ml'],
  };
  const refusal = async (token: string): Promise<string> => {
    try {
      await tokens.verify(token);
      return 'none';
    } catch (error) {
      return error instanceof Error && 'reason' in error ? String(error.reason) : String(error);
    }
  };
  return { issuer, clock, logged, tokens, nowS, good, refusal };
}

t.test('a good token names its user and groups', async (t) => {
  const { tokens, good } = await aSetting(t);
  t.match(await tokens.verify(await signed(key, good)), {
    subject: { name: 'user:ann', groups: ['group:ml'] },
    untilMs: good.exp * 1_000,
  });
});

t.test('every algorithm of public keys is taken', async (t) => {
  const { tokens, good, issuer } = await aSetting(t);
  const kinds = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'];
  const keys = await Promise.all(kinds.map((alg) => aSigningKey(alg, alg)));
  issuer.publish(...keys);
  for (const each of keys)
    t.match(
      await tokens.verify(await signed(each, good)),
      { subject: { name: 'user:ann' } },
      each.alg,
    );
});

t.test('a token that is wrong in one thing is refused', async (t) => {
  const { refusal, good, nowS } = await aSetting(t);
  const stranger = await aSigningKey('one');
  const wrong: Readonly<Record<string, [Claims, string]>> = {
    'another issuer': [{ iss: 'https://other.example' }, 'token-issuer'],
    'no issuer': [{ iss: undefined }, 'token-issuer'],
    'an issuer with a slash more': [{ iss: `${good.iss}/` }, 'token-issuer'],
    'another audience': [{ aud: 'other' }, 'token-claims'],
    'no audience': [{ aud: undefined }, 'token-claims'],
    'one that is over': [{ exp: nowS - 31 }, 'token-expired'],
    'one that never ends': [{ exp: undefined }, 'token-claims'],
    'an end that is text': [{ exp: '9999999999' }, 'token-claims'],
    'one of the future': [{ nbf: nowS + 31 }, 'token-claims'],
    'no user': [{ sub: undefined }, 'token-claims'],
    'an empty user': [{ sub: '' }, 'token-claims'],
    'a user that is a number': [{ sub: 1 }, 'token-claims'],
    'a user with a line feed': [{ sub: 'ann\nadmin' }, 'token-claims'],
    'a user with a space': [{ sub: 'ann b' }, 'token-claims'],
    'a user of 201 characters': [{ sub: 'a'.repeat(201) }, 'token-claims'],
  };
  for (const [what, [claims, reason]] of Object.entries(wrong))
    t.equal(await refusal(await signed(key, { ...good, ...claims })), reason, what);
  t.equal(await refusal(await signed(stranger, good)), 'token-invalid', 'another key of that name');
  t.equal(
    await refusal(await signed(key, { ...good, exp: nowS - 29 })),
    'none',
    'within the leeway',
  );
  t.equal(
    await refusal(await signed(key, { ...good, nbf: nowS + 29 })),
    'none',
    'within the leeway',
  );
  t.equal(await refusal(await signed(key, { ...good, aud: ['x', 'understudy'] })), 'none');
});

t.test('a token without a signature of a public key is refused', async (t) => {
  const { refusal, good, issuer } = await aSetting(t);
  const rsa = await aSigningKey('rsa', 'RS256');
  issuer.publish(key, rsa);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const pem = await exportSPKI((await importJWK(rsa.jwk, 'RS256', { extractable: true })) as never);
  const withSecret = (secret: string, header: object) => {
    const text = `${part(header)}.${part(good)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const [head, payload, signature] = (await signed(key, good)).split('.');
  const forged = {
    'alg none': `${part({ alg: 'none' })}.${part(good)}.`,
    'alg None with a kid': `${part({ alg: 'None', kid: 'one' })}.${part(good)}.`,
    'HS256 by the public key': withSecret(pem, { alg: 'HS256', kid: 'rsa' }),
    'HS256 by the key set': withSecret(JSON.stringify(rsa.jwk), { alg: 'HS256', kid: 'rsa' }),
    'no signature': `${head}.${payload}.`,
    'another payload': `${head}.${part({ ...good, sub: 'root' })}.${signature}`,
    'two parts': `${head}.${payload}`,
    'five parts': `${head}.${payload}.${signature}.a.b`,
    'no JSON': 'a.b.c',
    'a list': `${part([])}.${part([])}.`,
  };
  for (const [what, token] of Object.entries(forged)) t.not(await refusal(token), 'none', what);
});

t.test('a header that says where to find a key is not followed', async (t) => {
  const { refusal, good, issuer } = await aSetting(t);
  const evil = await aSigningKey('evil');
  const other = await AnIssuer.open(t, evil);
  const headers = [
    { kid: 'evil', jku: `${other.url}/keys` },
    { kid: 'evil', x5u: `${other.url}/keys` },
    { kid: 'evil', jwk: await exportJWK(evil.privateKey) },
    { kid: `${other.url}/keys` },
    { kid: '../../etc/passwd' },
  ];
  for (const header of headers)
    t.not(await refusal(await signed(evil, good, header)), 'none', JSON.stringify(header));
  t.equal(other.asked, 0);
  t.ok(issuer.asked <= 2, `asked ${issuer.asked} times`);
});

t.test(
  'tokens with unknown keys make the issuer be asked at most once in ten seconds',
  async (t) => {
    const { refusal, good, issuer, clock } = await aSetting(t);
    const stranger = await aSigningKey('two');
    for (let count = 0; count < 50; count += 1)
      t.equal(await refusal(await signed(stranger, { ...good, jti: count })), 'token-invalid');
    t.equal(issuer.asked, 1);
    clock.advance(10_001);
    await Promise.all(
      Array.from({ length: 20 }, async (_, jti) =>
        refusal(await signed(stranger, { ...good, jti })),
      ),
    );
    t.equal(issuer.asked, 2);
  },
);

t.test('a key that the issuer publishes later is found', async (t) => {
  const { refusal, good, issuer, clock } = await aSetting(t);
  t.equal(await refusal(await signed(key, good)), 'none');
  const next = await aSigningKey('two');
  issuer.publish(key, next);
  clock.advance(10_001);
  t.equal(await refusal(await signed(next, good)), 'none');
});

t.test('a token of a key that the issuer took back is refused once that is known', async (t) => {
  const { refusal, good, issuer, clock } = await aSetting(t);
  const token = await signed(key, { ...good, exp: good.exp + 3_600 });
  t.equal(await refusal(token), 'none');
  const next = await aSigningKey('two');
  issuer.publish(next);
  clock.advance(600_001);
  t.equal(await refusal(await signed(next, { ...good, exp: good.exp + 3_600 })), 'none');
  t.equal(await refusal(token), 'token-invalid');
});

t.test('a known token alone makes it known that the issuer took its key back', async (t) => {
  const { refusal, good, issuer, clock, tokens } = await aSetting(t);
  const token = await signed(key, { ...good, exp: good.exp + 3_600 });
  const { counts } = await tokens.verify(token);
  issuer.publish(await aSigningKey('two'));
  t.equal(await refusal(token), 'none');
  clock.advance(600_001);
  await until('the keys were fetched again', async () => {
    await refusal(token);
    return !counts();
  });
  t.equal(await refusal(token), 'token-invalid');
  t.equal(issuer.asked, 2);
});

t.test('a known token counts for a day where its issuer is down', async (t) => {
  const { refusal, good, issuer, clock } = await aSetting(t);
  const token = await signed(key, { ...good, exp: good.exp + 200_000 });
  t.equal(await refusal(token), 'none');
  issuer.stop();
  clock.advance(86_000_000);
  t.equal(await refusal(token), 'none');
  clock.advance(500_000);
  t.equal(await refusal(token), 'issuer-down');
});

t.test('an issuer whose keys do not come keeps no other from its tokens', async (t) => {
  const rest = { audience: ['understudy'], jwks: 'x', name: 'sub', roles: 'roles' };
  const issuers = ['slow', 'fast'].map((issuer) => ({ ...rest, issuer, prefix: `${issuer}:` }));
  const clock = new HandClock();
  const load = ({ issuer }: TokenIssuer): Promise<unknown> =>
    issuer === 'slow' ? new Promise(() => undefined) : Promise.resolve({ keys: [key.jwk] });
  const tokens = new Tokens({ issuers, clock, log: () => undefined, load });
  const exp = Math.floor(clock.wallMs() / 1_000) + 600;
  const claims = { aud: 'understudy', sub: 'ann', exp };
  for (let jti = 0; jti < 64; jti += 1)
    void tokens.verify(await signed(key, { ...claims, iss: 'slow', jti }));
  const another = await signed(key, { ...claims, iss: 'slow', jti: 64 });
  t.throws(() => tokens.verify(another), { code: 'overloaded' });
  t.match(await tokens.verify(await signed(key, { ...claims, iss: 'fast' })), {
    subject: { name: 'user:fast:ann' },
  });
});

t.test('a token is verified once, and refused when it is over', async (t) => {
  const { tokens, good, clock, refusal, issuer } = await aSetting(t);
  const token = await signed(key, { ...good, exp: good.exp });
  const first = await tokens.verify(token);
  t.equal(tokens.verify(token), first, 'at once');
  clock.advance(600_000);
  t.equal(await refusal(token), 'none', 'within the leeway');
  clock.advance(31_000);
  t.equal(await refusal(token), 'token-expired');
  t.ok(issuer.asked <= 2);
});

t.test('while the issuer is down its last keys count, for a day', async (t) => {
  const setting = await aSetting(t);
  const { refusal, good, clock, issuer, logged } = setting;
  const late = { ...good, exp: good.exp + 200_000 };
  t.equal(await refusal(await signed(key, late)), 'none');
  issuer.stop();
  clock.advance(86_000_000);
  t.equal(await refusal(await signed(key, { ...late, jti: 1 })), 'none');
  t.match(logged, [{ level: 'error', message: /its last keys count for up to a day/ }]);
  clock.advance(500_000);
  t.equal(await refusal(await signed(key, { ...late, jti: 2 })), 'issuer-down');
});

t.test('an issuer that never answered is logged, and its tokens are refused', async (t) => {
  const { refusal, good, issuer, logged } = await aSetting(t);
  issuer.pages.clear();
  t.equal(await refusal(await signed(key, good)), 'issuer-down');
  t.match(logged, [{ message: /expected status 200, found 404; its tokens are refused/ }]);
});

t.test('what an issuer answers is checked', async (t) => {
  const pages: Readonly<Record<string, [string, (url: string) => unknown, RegExp]>> = {
    'another issuer': [
      '/.well-known/openid-configuration',
      (url) => ({ issuer: 'https://other', jwks_uri: `${url}/keys` }),
      /expected the issuer "http:.*", found "https:\/\/other"/,
    ],
    'keys over plain HTTP elsewhere': [
      '/.well-known/openid-configuration',
      (url) => ({ issuer: url, jwks_uri: 'http://keys.example/' }),
      /expected jwks_uri with https/,
    ],
    'no key set': ['/keys', () => ({ key: [] }), /expected a JSON Web Key Set/],
    'too many keys': ['/keys', () => ({ keys: Array(101).fill(key.jwk) }), /at most 100 keys/],
    'too many bytes': ['/keys', () => ({ keys: [], more: 'x'.repeat(300_000) }), /more than/],
    'a list': ['/keys', () => [1], /expected a JSON Web Key Set/],
  };
  for (const [what, [path, page, says]] of Object.entries(pages)) {
    const { refusal, good, issuer, logged } = await aSetting(t);
    issuer.pages.set(path, page(issuer.url));
    t.equal(await refusal(await signed(key, good)), 'issuer-down', what);
    t.match(logged[0]?.message, says, what);
  }
});

t.test('keys may come from a file, and the issuer need not be an address', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-jwks-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const jwks = join(folder, 'keys.json');
  await writeFile(jwks, JSON.stringify({ keys: [key.jwk] }));
  const { refusal, good } = await aSetting(t, { jwks, issuer: 'ci' });
  t.equal(await refusal(await signed(key, good)), 'none');
});

t.test('users and groups come from the claims that are configured, with a prefix', async (t) => {
  const settings = { name: 'email', roles: 'realm_access.roles', prefix: 'corp:' };
  const { tokens, good } = await aSetting(t, settings);
  const claims = { ...good, email: 'a@b', realm_access: { roles: ['x', 1, 'y'] } };
  t.match(await tokens.verify(await signed(key, claims)), {
    subject: { name: 'user:corp:a@b', groups: ['group:corp:x', 'group:corp:y'] },
  });
  const flat = { ...good, email: 'a@b', 'realm_access.roles': 'p q' };
  t.match(await tokens.verify(await signed(key, flat)), {
    subject: { groups: ['group:corp:p', 'group:corp:q'] },
  });
  const odd = { ...good, email: 'a@b', realm_access: 'roles', jti: 'odd' };
  t.match(await tokens.verify(await signed(key, odd)), { subject: { groups: [] } });
});

t.test('only so many tokens are verified together', async (t) => {
  const { tokens, good } = await aSetting(t);
  const many = await Promise.all(
    Array.from({ length: 80 }, (_, jti) => signed(key, { ...good, jti })),
  );
  const ends = await Promise.allSettled(many.map(async (token) => await tokens.verify(token)));
  t.equal(ends.filter(({ status }) => status === 'fulfilled').length, 64);
  t.match(
    ends.find(({ status }) => status === 'rejected'),
    { reason: { code: 'overloaded', retryAfterMs: 1_000 } },
  );
});
