import t from 'tap';
import { World } from '../rollout/builders.ts';
import { anAdmin } from './an-admin.ts';

async function next(query: string) {
  const asked: object[] = [];
  const nextLabels = (each: object) => {
    asked.push(each);
    return { wanted: 0, leased: 0, labels: [] };
  };
  const { app } = await anAdmin(new World(), { nextLabels });
  const { statusCode, body } = await app.inject({
    url: `/api/v1/models/fashion/labels/next${query}`,
  });
  return { asked, statusCode, body };
}

t.test('wanted labels are handed out to who asks, twenty for ten minutes by default', async (t) => {
  const { asked, statusCode } = await next('');
  t.equal(statusCode, 200);
  t.same(asked, [{ model: 'fashion', by: '127.0.0.1', limit: 20, leaseMs: 600_000 }]);
});

t.test('how many and for how long can be asked for, within limits', async (t) => {
  t.match((await next('?limit=500&lease=24h')).asked, [{ limit: 500, leaseMs: 86_400_000 }]);
  t.match((await next('?lease=0')).asked, [{ leaseMs: 0 }]);
  for (const query of [
    '?limit=0',
    '?limit=501',
    '?limit=x',
    '?lease=25h',
    '?lease=1',
    '?lease=-1m',
  ]) {
    const { statusCode, asked, body } = await next(query);
    t.equal(statusCode, 400, query);
    t.match(body, /expected/);
    t.same(asked, []);
  }
});

t.test('a HEAD takes no lease', async (t) => {
  const asked: object[] = [];
  const nextLabels = (each: object) => {
    asked.push(each);
    return {};
  };
  const { app } = await anAdmin(new World(), { nextLabels });
  const url = '/api/v1/models/fashion/labels/next';
  t.equal((await app.inject({ method: 'HEAD', url })).statusCode, 404);
  t.same(asked, []);
});
