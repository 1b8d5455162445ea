import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Sessions } from '../../src/auth/sessions.ts';
import { type Caller, NO_CREDENTIALS } from '../../src/core/caller.ts';
import { HandClock } from '../../src/core/clock.ts';
import { until } from '../support/until.ts';
import { someDoors } from './some-doors.ts';

const aCaller = (name = 'key:a'): Caller => ({ name, grants: [{ role: 'view', models: '*' }] });
const FORM =
  /^(__Host-understudy|understudy)=([\w-]{43}); Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict(; Secure)?$/;

function aSessions() {
  const clock = new HandClock();
  const sessions = new Sessions(clock);
  const open = (name?: string, isSecure = true) => {
    const { setCookie, csrf } = sessions.open(() => aCaller(name), isSecure);
    const [, cookie = '', secret = ''] = FORM.exec(setCookie) ?? [];
    const use = (isChange: boolean, sent: readonly string[] = [csrf ?? '']) =>
      sessions.use(cookie, secret, { cookie: [], csrf: sent, isChange });
    return { cookie, secret, csrf: csrf ?? '', setCookie, use };
  };
  return { clock, sessions, open };
}

t.test('the cookie is hidden from scripts and other sites, and over TLS bound to it', async (t) => {
  const { open } = aSessions();
  t.match(open().setCookie, /^__Host-understudy=.*; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
  t.match(open('key:a', false).setCookie, /^understudy=.*; HttpOnly; SameSite=Strict$/);
});

t.test('a change needs the second secret of this very session', async (t) => {
  const { open } = aSessions();
  const [one, two] = [open(), open()];
  one.use(false, []);
  one.use(true);
  for (const sent of [
    [],
    [''],
    [two.csrf],
    [one.csrf, one.csrf],
    [one.csrf.slice(1)],
    [one.secret],
  ])
    t.throws(() => one.use(true, sent), { code: 'unauthenticated' }, JSON.stringify(sent));
});

t.test('a session is known by its own cookie only', async (t) => {
  const { sessions, open } = aSessions();
  const { secret } = open();
  const sent = { cookie: [], csrf: [], isChange: false };
  for (const [cookie, text] of [
    ['understudy', secret],
    ['__Host-understudy', secret.slice(1)],
    ['__Host-understudy', ''],
  ] as const)
    t.throws(() => sessions.use(cookie, text, sent), { code: 'unauthenticated' });
});

t.test('a session ends unused after half an hour, and used after twelve', async (t) => {
  const { clock, open } = aSessions();
  const [used, idle] = [open(), open('key:b')];
  for (let minutes = 0; minutes < 12 * 60; minutes += 30) {
    used.use(false);
    clock.advance(1_800_000);
  }
  t.throws(() => idle.use(false), { code: 'unauthenticated' });
  used.use(false);
  clock.advance(1);
  t.throws(() => used.use(false), { code: 'unauthenticated' });
});

t.test('a session is over once it is closed', async (t) => {
  const { sessions, open } = aSessions();
  const { cookie, secret, use } = open();
  t.equal(
    sessions.close(cookie, secret),
    '__Host-understudy=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure',
  );
  t.throws(() => use(false), { code: 'unauthenticated' });
});

t.test('a caller has so many sessions, and signs in so often', async (t) => {
  const { clock, open } = aSessions();
  const opened = [open()];
  clock.advance(60_000);
  for (let count = 0; count < 10; count += 1) opened.push(open());
  t.throws(() => open(), { code: 'rate_limited', retryAfterMs: 6_000 });
  open('key:b');
  clock.advance(60_000);
  for (let count = 0; count < 10; count += 1) opened.push(open());
  t.throws(() => opened[0]?.use(false), { code: 'unauthenticated' });
  for (const session of opened.slice(1)) session.use(false);
});

t.test('all callers together have so many sessions; the one unused for longest ends', async (t) => {
  const { clock, open } = aSessions();
  const first = open('key:first');
  const second = open('key:second');
  for (let caller = 0; caller < 100; caller += 1)
    for (let count = 0; count < 10; count += 1) open(`key:${caller}`);
  t.throws(() => second.use(false), { code: 'unauthenticated' });
  t.throws(() => first.use(false), { code: 'unauthenticated' });
  clock.advance(1_000);
  open('key:late').use(false);
});

t.test('a session is as good as its key, and no longer', async (t) => {
  const { doors, key, file, config } = await someDoors(t);
  const credentials = { ...NO_CREDENTIALS, apiKey: [key] };
  const opened = await doors.sessions?.open(credentials, true);
  t.match(opened, { caller: { name: 'key:batch' } });
  const cookie = [`other=1; ${opened?.setCookie.split(';')[0]}; theme=dark`];
  const asked = { ...NO_CREDENTIALS, session: { cookie, csrf: [], isChange: false } };
  t.match(doors.identify(asked), { name: 'key:batch' });
  t.match(await doors.sessions?.view(asked), { csrf: opened?.csrf, untilMs: opened?.untilMs });
  t.throws(() => doors.identify({ ...asked, apiKey: [key] }), { code: 'unauthenticated' });
  t.throws(
    () =>
      doors.identify({ ...asked, session: { ...asked.session, cookie: [...cookie, ...cookie] } }),
    { code: 'unauthenticated' },
  );
  config.auth = { ...config.auth, anonymous: [{ role: 'infer', models: ['digits'] }] };
  const caller = await doors.identify(asked);
  doors.check(caller, 'infer', 'digits');
  await rm(join(config.auth.keys, `${file.id}.json`));
  await until('the session has ended', async () => {
    try {
      await doors.identify(asked);
      return false;
    } catch {
      return true;
    }
  });
});

t.test('only an API key or a token opens a session', async (t) => {
  const { doors } = await someDoors(t, { anonymous: [{ role: 'admin', models: '*' }] });
  const certificate = { commonName: 'a', dnsNames: [], uris: [] };
  for (const credentials of [NO_CREDENTIALS, { ...NO_CREDENTIALS, certificate }]) {
    const open = async () => doors.sessions?.open(credentials, true);
    await t.rejects(open, { code: 'unauthenticated' });
  }
});
