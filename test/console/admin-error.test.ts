import t from 'tap';
import { adminErrorOf } from '../../src/console/admin-error.ts';
import { ServeError } from '../../src/core/errors.ts';

t.test('a caller without credentials is asked for them, one over its quota to wait', async (t) => {
  t.match(adminErrorOf(new ServeError('unauthenticated', 'who?')), {
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="understudy"' },
    body: { code: 'unauthenticated' },
  });
  t.match(adminErrorOf(new ServeError('rate_limited', 'later', { retryAfterMs: 1_200 })), {
    status: 429,
    headers: { 'retry-after': '2' },
  });
  t.strictSame(adminErrorOf(new ServeError('conflict', 'busy')).headers, {});
});
