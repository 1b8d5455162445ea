import fastify, { type FastifyInstance } from 'fastify';
import t from 'tap';
import { AdminDoor } from '../../src/console/admin-door.ts';
import { World } from '../rollout/builders.ts';
import { anEntrance, oneForEachRole } from '../support/some-doors.ts';
import { anAdmin } from './an-admin.ts';

type Listed = { readonly method: string; readonly url: string };

/** Every route of a server, as its own list has them. */
function routesOf(app: FastifyInstance): readonly Listed[] {
  const names: string[] = [];
  const found: Listed[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', path = '', methods = ''] =
      /^([│├└─ ]*)(\S+) \(([A-Z, ]+)\)/u.exec(line) ?? [];
    if (path === '') {
      const [, deeper = '', part = ''] = /^([│├└─ ]*)(\S+)$/u.exec(line) ?? [];
      if (part !== '') names.splice(deeper.length / 4 - 1, Infinity, part);
      continue;
    }
    names.splice(indent.length / 4 - 1, Infinity, path);
    for (const method of methods.split(', ')) found.push({ method, url: names.join('') });
  }
  return found;
}

async function aLockedAdmin() {
  const { entrance, refused } = anEntrance(oneForEachRole('fashion'));
  return { ...(await anAdmin(new World(), { entrance })), refused };
}

/** Sessions ask by themselves who calls, and have tests of their own. */
const OPEN = ['/healthz', '/api/v1/session'];
const BODY = { model: 'fashion', reason: 'r' };

function addressOf(url: string): string {
  return url.replace(':model', 'fashion').replace(':id', 'fashion-2-1');
}

t.test(
  'every route of the admin port is closed to callers without credentials but health',
  async (t) => {
    const { app } = await aLockedAdmin();
    const routes = routesOf(app);
    t.ok(routes.length > 25, `found ${routes.length} routes`);
    for (const { method, url } of routes) {
      const call = { method: method as 'GET', url: addressOf(url), headers: { host: 'localhost' } };
      const answer = await app.inject(call);
      if (url === '/healthz') t.equal(answer.statusCode, 200, `${method} ${url}`);
      else if (!OPEN.includes(url)) {
        t.equal(answer.statusCode, 401, `${method} ${url}`);
        t.match(answer.headers['www-authenticate'], /^Bearer/);
      }
    }
  },
);

/** The statuses of a call of each route, by callers of these keys. */
async function statusesFor(app: FastifyInstance, keys: readonly string[]) {
  const routes = routesOf(app).filter(({ url }) => !OPEN.includes(url));
  const found = [];
  for (const { method, url } of routes) {
    const isRead = method === 'GET' || method === 'HEAD';
    for (const key of keys) {
      const headers = { host: 'localhost', authorization: `Bearer ${key}` };
      const call = { method: method as 'POST', url: addressOf(url), headers };
      const { statusCode: status } = await app.inject(isRead ? call : { ...call, payload: BODY });
      found.push({ what: `${method} ${url} as ${key}`, status, isRead, url });
    }
  }
  return found;
}

t.test('a role that is too small opens no route, and changes nothing', async (t) => {
  const { app, ledger } = await aLockedAdmin();
  const records = ledger.records().length;
  for (const { what, status } of await statusesFor(app, ['infer'])) t.equal(status, 403, what);
  for (const { what, status, isRead, url } of await statusesFor(app, ['view'])) {
    // Examples may have what clients sent, and labels are for labellers.
    const isClosed =
      url === '/metrics' || url.includes('/examples') || url.endsWith('/labels/next');
    if (isRead || url.endsWith('/plan')) t.equal(status === 403, isClosed, what);
    else t.equal(status, 403, what);
  }
  t.equal(ledger.records().length, records);
});

t.test('a role on another model opens lists without this one, and no more', async (t) => {
  const { app, ledger } = await aLockedAdmin();
  const records = ledger.records().length;
  for (const { what, status, isRead, url } of await statusesFor(app, ['other'])) {
    const isList = isRead && !url.includes(':model') && url !== '/metrics';
    if (isList) t.ok([200, 404].includes(status), `${what}: ${status}`);
    else t.equal(status, 403, what);
  }
  t.equal(ledger.records().length, records);
});

t.test('a list has no models but those that the caller may view', async (t) => {
  const { app } = await aLockedAdmin();
  const modelsFor = async (key: string) => {
    const headers = { host: 'localhost', 'x-api-key': key };
    return (await app.inject({ url: '/api/v1/models', headers })).json().models.length;
  };
  t.strictSame([await modelsFor('view'), await modelsFor('other')], [1, 0]);
});

t.test('a command is on record with who gave it, and from where', async (t) => {
  const { app, ledger } = await aLockedAdmin();
  const answer = await app.inject({
    method: 'POST',
    url: '/api/v1/models/fashion/rollout',
    headers: { host: 'localhost', authorization: 'Bearer operate' },
    payload: { candidate: '2' },
  });
  t.equal(answer.statusCode, 202);
  const commands = ledger.records().filter(({ body }) => body.kind === 'command');
  t.match(commands.at(-1)?.body, {
    command: { kind: 'start', by: { caller: 'key:operate', address: '127.0.0.1' } },
  });
});

t.test('two credentials are refused, wherever they stand', async (t) => {
  const { app } = await aLockedAdmin();
  const headers = { host: 'localhost', authorization: 'Bearer view', 'x-api-key': 'view' };
  t.equal((await app.inject({ url: '/api/v1/models', headers })).statusCode, 401);
});

t.test('a route that does not say what it needs is not served', async (t) => {
  const app = fastify();
  t.teardown(() => app.close());
  new AdminDoor({}).watch(app);
  t.throws(() => app.get('/more', async () => 'x'), /expected what GET \/more needs/);
});
