import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';

import { SERVE_ERROR_CODES, ServeError } from '../../../src/core/errors.ts';
import {
  errorHeadersOf,
  HTTP_STATUS,
  retryAfterSeconds,
} from '../../../src/protocol/rest/status.ts';
import { projectRoot } from '../../support/project-root.ts';

t.test('every error code is documented with its status, and no other', async (t) => {
  const page = readFileSync(path.join(projectRoot, 'docs/reference/errors.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)];
  const documented = rows.map(([, code, status]) => `${code} ${status}`);
  t.strictSame(
    documented.sort(),
    SERVE_ERROR_CODES.map((code) => `${code} ${HTTP_STATUS[code]}`).sort(),
  );
});

t.test('callers learn when to try again where that can help', async (t) => {
  t.equal(retryAfterSeconds(new ServeError('overloaded', '')), 1);
  t.equal(retryAfterSeconds(new ServeError('overloaded', '', { retryAfterMs: 1 })), 1);
  t.equal(retryAfterSeconds(new ServeError('version_not_ready', '', { retryAfterMs: 1_500 })), 2);
  t.equal(retryAfterSeconds(new ServeError('invalid_input', '')), undefined);
});

t.test('a caller without credentials is asked for them, one over its quota to wait', async (t) => {
  t.same(errorHeadersOf(new ServeError('unauthenticated', '')), {
    'www-authenticate': 'Bearer realm="understudy"',
  });
  t.same(errorHeadersOf(new ServeError('rate_limited', '')), { 'retry-after': '1' });
  t.same(errorHeadersOf(new ServeError('rate_limited', '', { retryAfterMs: 2_100 })), {
    'retry-after': '3',
  });
  t.same(errorHeadersOf(new ServeError('forbidden', '')), {});
});
