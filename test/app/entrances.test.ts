import t, { type Test } from 'tap';
import { openEntrances } from '../../src/app/entrances.ts';
import { type Release, releaseAll } from '../../src/app/release.ts';
import { createKey } from '../../src/auth/manage-keys.ts';
import { configSchema } from '../../src/config/schema.ts';
import { systemClock } from '../../src/core/clock.ts';
import { credentialsIn } from '../../src/core/credentials.ts';
import { until } from '../support/until.ts';

type Noted = { readonly what: string; readonly caller: string };

async function entrancesOf(t: Test, written: object) {
  const lines: string[] = [];
  const notes: Noted[] = [];
  const refused: string[] = [];
  const release: Release = [];
  t.teardown(() => releaseAll(release));
  const config = { ...configSchema.parse({ apiVersion: 'understudy/v1', ...written }), source: {} };
  const entrances = await openEntrances(
    {
      config,
      clock: systemClock,
      log: ({ message }) => void lines.push(message),
      telemetry: { onCallerRefused: (plane, reason) => void refused.push(`${plane} ${reason}`) },
      controller: { note: async (access) => void notes.push(access) },
    },
    release,
  );
  return { ...entrances, lines, notes, refused };
}

t.test('an open port without authentication says so at the start', async (t) => {
  const open = { http: '0.0.0.0:0', modelControl: 'explicit' };
  const { http, lines } = await entrancesOf(t, { server: open });
  t.equal(http, undefined);
  t.match(lines, [/server\.http \(0\.0\.0\.0\): everyone .* and load and unload models .* auth/]);
  t.strictSame((await entrancesOf(t, {})).lines, []);
});

t.test('a port of other machines that asks for keys without TLS says so', async (t) => {
  const auth = { keys: t.testdir() };
  const { lines } = await entrancesOf(t, { auth, server: { admin: '0.0.0.0:0' } });
  t.match(lines, [/^server\.admin \(0\.0\.0\.0\): without TLS, keys and tokens can be read/]);
  const tls = { certificate: 'tls.crt', key: 'tls.key' };
  const encrypted = await entrancesOf(t, { auth, server: { admin: '0.0.0.0:0', tls } });
  t.strictSame(encrypted.lines, []);
  t.strictSame((await entrancesOf(t, { auth })).lines, []);
});

t.test('a key that is made while the gateway runs lets in, and is on record', async (t) => {
  const keys = t.testdir();
  const { http, notes, refused } = await entrancesOf(t, { auth: { keys } });
  const grants = [{ role: 'infer', models: ['m'] }] as const;
  const { key } = await createKey(
    { folder: keys, pepper: undefined },
    { name: 'batch', grants, nowMs: systemClock.wallMs(), expiresMs: undefined },
  );
  const credentials = credentialsIn(['x-api-key', key], undefined);
  const needs = { role: 'infer', of: 'model' } as const;
  const asker = await until('the key is known', () => {
    try {
      return http?.enter(credentials, needs, 'm');
    } catch {
      return undefined;
    }
  });
  t.equal(asker.caller?.name, 'key:batch');
  await until('the change is on record', () => notes.length > 0);
  t.match(notes, [{ kind: 'access', what: 'keyAdded', caller: 'key:batch' }]);
  t.throws(() => http?.enter(credentials, needs, 'another'), { code: 'forbidden' });
  t.equal(refused.at(-1), 'http forbidden');
});
