import * as fc from 'fast-check';
import t from 'tap';
import { openDoors } from '../../src/auth/open-doors.ts';
import { type Credentials, NO_CREDENTIALS } from '../../src/core/caller.ts';
import { systemClock } from '../../src/core/clock.ts';
import { AnIssuer, aSigningKey, signed } from './an-issuer.ts';
import { someDoors } from './some-doors.ts';

const aCertificate = (commonName: string | undefined, dnsNames: readonly string[] = []) => ({
  commonName,
  dnsNames,
  uris: ['spiffe://example/a'],
});

t.test('a key says who asks, in either header', async (t) => {
  const { key, identify } = await someDoors(t);
  const caller = { name: 'key:batch', grants: [{ role: 'operate', models: ['fashion'] }] };
  for (const scheme of ['Bearer', 'bearer', 'BEARER '])
    t.match(identify({ authorization: [`${scheme} ${key}`] }), caller, scheme);
  t.match(identify({ apiKey: [key] }), caller);
  t.equal(identify({ apiKey: [key] }), identify({ apiKey: [key] }), 'made once');
});

t.test('a request with two credentials is refused, whichever they are', async (t) => {
  const { key, identify, refused } = await someDoors(t);
  const bearer = `Bearer ${key}`;
  const both: readonly Partial<Credentials>[] = [
    { authorization: [bearer, bearer] },
    { apiKey: [key, key] },
    { authorization: [bearer], apiKey: [key] },
    { authorization: [bearer], apiKey: [''] },
    { authorization: [''], apiKey: [key] },
  ];
  for (const credentials of both)
    t.throws(() => identify(credentials), { code: 'unauthenticated' }, JSON.stringify(credentials));
  t.same(refused, ['several', 'several', 'several', 'several', 'several']);
});

t.test('a credential of no known form is refused, and never taken for none', async (t) => {
  const { key, identify } = await someDoors(t, { anonymous: [{ role: 'infer', models: '*' }] });
  const wrong = [
    '',
    ' ',
    key,
    'Bearer',
    'Bearer ',
    `Basic ${Buffer.from(`user:${key}`).toString('base64')}`,
    `Bearer ${key}, Bearer ${key}`,
    `Bearer ${key} x`,
    `Bearer\t${key}`,
    `Bearer ${key}=x`,
    `Bearer ${key.slice(0, -1)}`,
    `Bearer ${'a'.repeat(100_000)}`,
    'Bearer eyJhbGciOiJub25lIn0.e30.',
  ];
  for (const text of wrong)
    t.throws(
      () => identify({ authorization: [text] }),
      { code: 'unauthenticated' },
      text.slice(0, 60),
    );
  for (const text of ['', 'x', `${key} `, 'a'.repeat(100_000)])
    t.throws(() => identify({ apiKey: [text] }), { code: 'unauthenticated' }, text.slice(0, 60));
});

t.test('no text but the key passes, whatever its form', async () => {
  const { identify } = await someDoors(t);
  const aText = fc.oneof(
    fc.string({ maxLength: 100 }),
    fc.string({ minLength: 69, maxLength: 69 }),
    fc.stringMatching(/^understudy_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/),
  );
  await fc.assert(
    fc.property(aText, fc.boolean(), (text, isBearer) => {
      try {
        identify(isBearer ? { authorization: [`Bearer ${text}`] } : { apiKey: [text] });
        return false;
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code === 'unauthenticated';
      }
    }),
  );
});

t.test('callers without credentials may do what anonymous may', async (t) => {
  const { doors, identify, refused } = await someDoors(t, {
    anonymous: [{ role: 'infer', models: ['fashion'] }],
  });
  const caller = identify({});
  t.equal(caller.name, 'anonymous');
  doors.check(caller, 'infer', 'fashion');
  const refusal = (model: string) => {
    try {
      doors.check(caller, 'infer', model);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  t.match(refusal('other'), { code: 'unauthenticated' });
  t.same(`${refusal('other')}`, `${refusal('there is none')}`);
  t.throws(() => doors.check(caller, 'view', undefined), { code: 'unauthenticated' });
  t.ok(refused.every((reason) => reason === 'missing'));
});

t.test('a caller who is known and may not is forbidden, and has what anonymous has', async (t) => {
  const { doors, key, identify, refused } = await someDoors(t, {
    anonymous: [{ role: 'infer', models: ['digits'] }],
  });
  const caller = identify({ apiKey: [key] });
  doors.check(caller, 'operate', 'fashion');
  doors.check(caller, 'infer', 'digits');
  t.throws(() => doors.check(caller, 'admin', undefined), { code: 'forbidden' });
  t.throws(() => doors.check(caller, 'label', 'digits'), { code: 'forbidden' });
  t.same(refused, ['forbidden', 'forbidden']);
});

t.test('a certificate says who asks where nothing else does', async (t) => {
  const { key, identify } = await someDoors(t, {
    grants: [{ to: 'certificate:edge', role: 'infer', models: ['fashion'] }],
  });
  t.same(identify({ certificate: aCertificate('edge') }), {
    name: 'certificate:edge',
    grants: [{ role: 'infer', models: ['fashion'] }],
  });
  t.equal(identify({ certificate: aCertificate(undefined, ['a.b']) }).name, 'certificate:a.b');
  t.equal(
    identify({ certificate: aCertificate(undefined) }).name,
    'certificate:spiffe://example/a',
  );
  t.match(identify({ certificate: aCertificate('edge'), apiKey: [key] }), { name: 'key:batch' });
  t.throws(() => identify({ certificate: aCertificate('edge'), apiKey: ['x'] }), {
    code: 'unauthenticated',
  });
  for (const name of ['', 'two words', 'line\nfeed', 'ünter', 'x'.repeat(201)])
    t.throws(
      () => identify({ certificate: aCertificate(name) }),
      { code: 'unauthenticated' },
      name,
    );
});

t.test('a token says who asks, at once from the second time on', async (t) => {
  const signing = await aSigningKey('one');
  const issuer = await AnIssuer.open(t, signing);
  const { doors, identify, refused } = await someDoors(t, {
    tokens: [
      {
        ...{ issuer: issuer.url, audience: ['a'], jwks: undefined },
        ...{ name: 'sub', roles: 'roles', prefix: '' },
      },
    ],
    grants: [
      { to: 'user:ann', role: 'view', models: '*' },
      { to: 'group:ml', role: 'operate', models: ['fashion'] },
      { to: 'group:other', role: 'admin', models: '*' },
    ],
  });
  const exp = Math.floor(systemClock.wallMs() / 1_000) + 600;
  const claims = { iss: issuer.url, aud: 'a', sub: 'ann', exp, roles: ['ml'] };
  const authorization = [`Bearer ${await signed(signing, claims)}`];
  const caller = await doors.identify({ ...NO_CREDENTIALS, authorization });
  t.same(caller, {
    name: 'user:ann',
    grants: [
      { role: 'view', models: '*' },
      { role: 'operate', models: ['fashion'] },
    ],
  });
  t.equal(identify({ authorization }), caller);
  const other = [`Bearer ${await signed(signing, { ...claims, aud: 'b' })}`];
  await t.rejects(async () => doors.identify({ ...NO_CREDENTIALS, authorization: other }), {
    code: 'unauthenticated',
  });
  t.throws(() => identify({ apiKey: [authorization[0] ?? ''] }), { code: 'unauthenticated' });
  t.same(refused, ['token-claims', 'malformed']);
});

t.test('grants follow a reload of the configuration', async (t) => {
  const { doors, key, identify, config } = await someDoors(t);
  t.throws(() => doors.check(identify({ apiKey: [key] }), 'infer', 'digits'));
  config.auth = { ...config.auth, anonymous: [{ role: 'infer', models: '*' }] };
  doors.check(identify({ apiKey: [key] }), 'infer', 'digits');
  doors.check(identify({}), 'infer', 'digits');
});

t.test('without a section everyone may do all', async (t) => {
  const log = () => undefined;
  const doors = await openDoors({ config: {}, keyPepper: undefined, clock: systemClock, log });
  const caller = await doors.identify({ ...NO_CREDENTIALS, apiKey: ['x', 'y'] });
  doors.check(caller, 'admin', undefined);
  doors.close();
  t.equal(caller.name, 'anonymous');
});
