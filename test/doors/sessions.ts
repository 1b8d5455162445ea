import { Faults } from './faults.ts';
import type { Headers } from './strangers.ts';
import { callerOf, type Target } from './target.ts';

const PATH = '/api/v1/session';
/** A command that finds nothing to do, where it is let in. */
export const CHANGE = {
  method: 'POST',
  path: '/api/v1/models/fashion/rollout/abort',
  body: { reason: 'x' },
};

/** What a page of another site, or the one before on the same machine, may send of a session. */
export async function forgeSessions(target: Target): Promise<readonly string[]> {
  const caller = callerOf(target, 'admin');
  const data = callerOf(target, 'http');
  const faults = new Faults();
  const key: Headers = [['authorization', `Bearer ${target.place.keys.admin}`]];
  const open = async (): Promise<{ cookie: string; csrf: string }> => {
    const answer = await caller.send({ method: 'POST', path: PATH, headers: key, body: {} });
    const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
    return { cookie, csrf: String((JSON.parse(answer.text) as { csrf: unknown }).csrf) };
  };
  const [own, other] = [await open(), await open()];
  const cookie: Headers = [['cookie', own.cookie]];
  const good: Headers = [...cookie, ['x-understudy-csrf', own.csrf]];
  await faults.unless(
    'a session that reads',
    [200],
    caller.send({ method: 'GET', path: '/metrics', headers: cookie }),
  );
  await faults.unless(
    'a session that changes',
    [404, 409],
    caller.send({ ...CHANGE, headers: good }),
  );
  for (const [what, headers] of Object.entries(forgedOf(target, { own, other })))
    await faults.unless(what, [400, 401, 403], caller.send({ ...CHANGE, headers }));
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const sent = { ...CHANGE, headers: [...cookie, ['content-type', type]] as Headers };
    await faults.unless(`a form, as ${type}`, [400, 401, 403, 415], caller.send(sent));
  }
  await faults.unless(
    'a session on another port',
    [401],
    data.send({ method: 'GET', path: '/v2', headers: good }),
  );
  await faults.unless(
    'the end of a session',
    [204],
    caller.send({ method: 'DELETE', path: PATH, headers: good }),
  );
  for (const method of ['GET', 'DELETE'])
    await faults.unless(
      `${method} after its end`,
      [401],
      caller.send({ method, path: PATH, headers: good }),
    );
  await faults.unless('a change after its end', [401], caller.send({ ...CHANGE, headers: good }));
  for (const each of [caller, data]) each.close();
  return faults.found;
}

type Opened = { readonly cookie: string; readonly csrf: string };

function forgedOf(
  target: Target,
  { own, other }: { readonly own: Opened; readonly other: Opened },
): Readonly<Record<string, Headers>> {
  const key: Headers = [['authorization', `Bearer ${target.place.keys.admin}`]];
  const cookie: Headers = [['cookie', own.cookie]];
  const good: Headers = [...cookie, ['x-understudy-csrf', own.csrf]];
  const site = (origin: string): Headers => [...good, ['origin', origin]];
  return {
    'no second secret': cookie,
    'a wrong second secret': [...cookie, ['x-understudy-csrf', 'A'.repeat(43)]],
    'that of another session': [...cookie, ['x-understudy-csrf', other.csrf]],
    'two of them': [...good, ['x-understudy-csrf', own.csrf]],
    'an empty one': [...cookie, ['x-understudy-csrf', '']],
    'the second secret alone': [['x-understudy-csrf', own.csrf]],
    'a page of another site': site('https://evil.example'),
    'a page without a site': site('null'),
    'a page of another port': site(`http://127.0.0.1:${target.ports.http}`),
    'two cookies': [
      ['cookie', `${own.cookie}; ${other.cookie}`],
      ['x-understudy-csrf', own.csrf],
    ],
    'a session beside a key': [...good, ...key],
    'a session under another name': [
      ['cookie', `session=${own.cookie.split('=')[1]}`],
      ['x-understudy-csrf', own.csrf],
    ],
  };
}
