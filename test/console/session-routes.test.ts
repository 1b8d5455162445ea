import t from 'tap';
import { createEntrance } from '../../src/core/entrance.ts';
import { someDoors } from '../auth/some-doors.ts';
import { World } from '../rollout/builders.ts';
import { anAdmin } from './an-admin.ts';

type Asked = {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

async function aSetting(t: { readonly teardown: (work: () => unknown) => void }) {
  const { doors, key } = await someDoors(t);
  const noted: string[] = [];
  const refused: string[] = [];
  const { app } = await anAdmin(new World(), {
    entrance: createEntrance({ doors, onRefused: () => undefined }),
    sessions: doors.sessions,
    onSessionRefused: (reason) => refused.push(reason),
    onSession: (what, by) => noted.push(`${what} ${by.caller} ${by.address}`),
  });
  const ask = ({ method = 'GET', url = '/api/v1/session', headers = {} }: Asked = {}) =>
    app.inject({ method, url, headers: { host: '127.0.0.1:8002', ...headers } });
  const signIn = async (headers: Readonly<Record<string, string>> = { 'x-api-key': key }) => {
    const answer = await ask({ method: 'POST', headers });
    const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
    return { answer, cookie, csrf: String(answer.json().csrf) };
  };
  return { ask, signIn, key, noted, refused };
}

t.test('a browser signs in with a key, looks who it is and signs out', async (t) => {
  const { ask, signIn, noted } = await aSetting(t);
  const { answer, cookie, csrf } = await signIn();
  t.equal(answer.statusCode, 201);
  t.match(answer.json(), {
    caller: 'key:batch',
    grants: [{ role: 'operate' }],
    expires: /^\d{4}-/,
  });
  t.match(answer.headers, { 'cache-control': 'no-store', 'set-cookie': /^understudy=.*HttpOnly/ });
  t.match((await ask({ headers: { cookie } })).json(), { caller: 'key:batch', csrf });
  const without = await ask({ method: 'DELETE', headers: { cookie } });
  t.match(without.json(), { code: 'unauthenticated' });
  const out = await ask({ method: 'DELETE', headers: { cookie, 'x-understudy-csrf': csrf } });
  t.match([out.statusCode, out.headers['set-cookie']], [204, /^understudy=; Max-Age=0/]);
  t.equal((await ask({ headers: { cookie } })).statusCode, 401);
  t.same(noted, ['signedIn key:batch 127.0.0.1', 'signedOut key:batch 127.0.0.1']);
});

t.test('a cookie reads, and changes only with its second secret', async (t) => {
  const { ask, signIn } = await aSetting(t);
  const { cookie, csrf } = await signIn();
  const url = '/api/v1/models/fashion/rollout';
  t.not((await ask({ url, headers: { cookie } })).statusCode, 401);
  const abort = { method: 'POST', url: `${url}/abort` } as const;
  t.equal((await ask({ ...abort, headers: { cookie } })).statusCode, 401);
  t.equal((await ask({ ...abort, headers: { cookie, 'x-understudy-csrf': 'x' } })).statusCode, 401);
  const right = await ask({ ...abort, headers: { cookie, 'x-understudy-csrf': csrf } });
  t.not(right.statusCode, 401);
  const origin = { origin: 'https://evil.example' };
  const foreign = await ask({
    ...abort,
    headers: { cookie, 'x-understudy-csrf': csrf, ...origin },
  });
  t.match(foreign.json(), { code: 'origin_not_allowed' });
});

t.test('a sign-in takes the key, and no cookie that is left over', async (t) => {
  const { ask, signIn, key, refused } = await aSetting(t);
  const { cookie } = await signIn();
  t.equal((await signIn({ authorization: `Bearer ${key}`, cookie })).answer.statusCode, 201);
  t.equal((await signIn({ cookie })).answer.statusCode, 401);
  t.equal((await signIn({})).answer.statusCode, 401);
  t.equal((await signIn({ 'x-api-key': `${key.slice(0, -1)}~` })).answer.statusCode, 401);
  t.equal((await ask({ headers: { cookie: `${cookie}x` } })).statusCode, 401);
  t.same(refused, ['missing', 'missing', 'key-malformed', 'session']);
});

t.test('where authentication is off there is nothing to sign in to', async (t) => {
  const { app } = await anAdmin(new World());
  const headers = { host: '127.0.0.1:8002' };
  const url = '/api/v1/session';
  t.match((await app.inject({ url, headers })).json(), {
    caller: 'anonymous',
    grants: [{ role: 'admin', models: '*' }],
  });
  t.equal((await app.inject({ method: 'POST', url, headers })).statusCode, 409);
});
